//! Trees are written in SQL and read again, and no text makes the reader fail.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{lexer, tests::read, *};
use crate::segment::{Bound, Notation, Values, grammar::Subject, test::parse_test};

impl fmt::Debug for SqlTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(self))
    }
}

fn print(tree: &SqlTree) -> String {
    let joined = |parts: &[SqlTree], by: &str| {
        let all = by == " AND ";
        let part = |part: &SqlTree| match part {
            SqlTree::Any(within) if !within.is_empty() => format!("({})", print(part)),
            SqlTree::All(within) if all && !within.is_empty() => format!("({})", print(part)),
            _ => print(part),
        };
        parts.iter().map(part).collect::<Vec<_>>().join(by)
    };
    match tree {
        SqlTree::All(parts) if parts.is_empty() => "TRUE".into(),
        SqlTree::Any(parts) if parts.is_empty() => "FALSE".into(),
        SqlTree::All(parts) => joined(parts, " AND "),
        SqlTree::Any(parts) => joined(parts, " OR "),
        SqlTree::Test(field, test) => print_test(field, test, ""),
        SqlTree::Not(field, test) => print_test(field, test, "NOT "),
    }
}

fn print_test(field: &Field, test: &Test, not: &str) -> String {
    let name = name_of(field);
    let order = |sign: &str, bound: &Bound| format!("{name} {sign} {}", literal(bound));
    match test {
        Test::In(values) => format!("{name} {not}IN ({})", literals(values)),
        Test::NotIn(values) => format!("{name} IS NOT {}", literals(values)),
        Test::Contains(part) => format!("{not}CONTAINS_SUBSTR({name}, {})", quoted(part, '\'')),
        Test::StartsWith(part) => format!("{not}STARTS_WITH({name}, {})", quoted(part, '"')),
        Test::Exists => format!("{name} IS NOT NULL"),
        Test::NotExists => format!("{name} IS NULL"),
        Test::Greater(bound) => order(">", bound),
        Test::GreaterOrEqual(bound) => order(">=", bound),
        Test::Less(bound) => order("<", bound),
        Test::LessOrEqual(bound) => order("<=", bound),
        Test::Between(low, high) => {
            format!("{name} BETWEEN {} AND {}", literal(low), literal(high))
        }
        Test::InLastDays(_) => unreachable!("SQL has no such test"),
    }
}

fn name_of(field: &Field) -> String {
    match (field, serde_json::to_value(field).unwrap()) {
        (Field::Attribute(name), _) => format!("attributes.{}", quoted(name, '`')),
        (_, Value::String(name)) => name,
        _ => unreachable!("a name"),
    }
}

fn quoted(text: &str, quote: char) -> String {
    let escaped = |c: char| match c {
        '\\' | '\'' | '"' | '`' => format!("\\{c}"),
        '\n' => "\\n".into(),
        '\r' => "\\x0D".into(),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c if u32::from(c) > 0xFFFF => format!("\\U{:08X}", u32::from(c)),
        c => c.to_string(),
    };
    let text: String = text.chars().map(escaped).collect();
    format!("{quote}{text}{quote}")
}

fn literals(values: &Values) -> String {
    let texts = values.texts().map(|text| quoted(text, '\''));
    let numbers = values.numbers().filter(|(_, in_text)| !in_text);
    let numbers = numbers.map(|(number, _)| number.plain());
    let bools = values.bools().iter().map(ToString::to_string);
    let dates = values.dates().iter().map(literal);
    let all = texts.chain(numbers).chain(bools).chain(dates);
    all.collect::<Vec<_>>().join(", ")
}

fn literal(bound: &Bound) -> String {
    match bound {
        Bound::Number(number) => number.plain(),
        Bound::Date(first, last) if first == last => {
            let text = first.to_rfc3339_opts(SecondsFormat::Nanos, true);
            format!("TIMESTAMP '{text}'")
        }
        Bound::Date(first, _) => {
            let day = first.with_timezone(&Notation::default().zone);
            format!("DATE '{}'", day.format("%Y-%m-%d"))
        }
    }
}

/// The name of a field.
fn field() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("document"),
        Just("name"),
        Just("phone"),
        Just("email"),
        Just("document_kind"),
        Just("document_valid"),
        Just("phone_valid"),
        Just("email_valid"),
        Just("created_at"),
        Just("updated_at"),
        Just("client_id"),
        Just("external_id"),
        Just("attributes.age"),
        Just("attributes.select"),
        Just("attributes.name"),
    ];
    let attribute = text().prop_map(|name| format!("attributes.{name}"));
    prop_oneof![name.prop_map(ToOwned::to_owned), attribute]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\0]{1,8}",
        "[ -~]{1,8}",
        "[0-9.,/-]{1,10}",
        "[0-9]{11}",
        "[a-z'\"`\\\\\n]{1,6}@[a-z]{1,5}\\.com"
    ]
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let nanoseconds = prop_oneof![Just(0), 0_u32..1_000_000_000];
    (0_i64..4_000_000_000, nanoseconds)
        .prop_map(|(seconds, nanos)| Utc.timestamp_opt(seconds, nanos).unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-999_999_i64..999_999).prop_map(|n| json!(n as f64 / 1000.0)),
        any::<bool>().prop_map(Value::from),
        any::<bool>().prop_map(|value| json!(value.to_string())),
        Just(json!("cnpj")),
        instant().prop_map(|at| json!(at.to_rfc3339())),
        instant().prop_map(|at| json!(at.format("%Y-%m-%d").to_string())),
    ]
}

/// A test that an expression can say.
fn leaf() -> impl Strategy<Value = SqlTree> {
    let operator = prop_oneof![
        Just("in"),
        Just("contains"),
        Just("starts_with"),
        Just("exists"),
        Just("not_exists"),
        Just("greater"),
        Just("greater_or_equal"),
        Just("less"),
        Just("less_or_equal"),
        Just("between"),
        Just("is_not"),
    ];
    let values = prop::collection::vec(value(), 1..4);
    let tree = |(name, operator, mut values, not): (String, &str, Vec<Value>, bool)| {
        let field = Field::named(&name, Subject::Customer)?;
        let first = values[0].clone();
        let (operator, value) = match operator {
            "in" => (operator, Value::Array(values)),
            "between" => {
                values.truncate(2);
                (operator, Value::Array(values))
            }
            "exists" | "not_exists" => (operator, Value::Null),
            "is_not" if !first.is_boolean() => return None,
            "is_not" => ("not_equals", first),
            _ => (operator, first),
        };
        let test = parse_test(&field, operator, (&value, ""), &Notation::default()).ok()?;
        let negated = matches!(test, Test::In(_) | Test::Contains(_) | Test::StartsWith(_));
        Some(if not && negated {
            SqlTree::Not(field, test)
        } else {
            SqlTree::Test(field, test)
        })
    };
    (field(), operator, values, any::<bool>()).prop_filter_map("a test", tree)
}

fn tree() -> impl Strategy<Value = SqlTree> {
    let constant = any::<bool>().prop_map(leaf::constant);
    let leaf = prop_oneof![8 => leaf(), 1 => constant];
    leaf.prop_recursive(4, 24, 4, |part| {
        (prop::collection::vec(part, 2..5), any::<bool>())
            .prop_map(|(parts, all)| leaf::joined(parts, all))
    })
}

/// What is read from a text: the same is read again from what it is printed as.
fn read_twice(text: &str) -> Result<SqlTree, TestCaseError> {
    let tree = read(text).map_err(|_| TestCaseError::reject("is refused"))?;
    let printed = print(&tree);
    match read(&printed) {
        Ok(again) => prop_assert!(again == tree, "{text}\n{printed}\n{}", print(&again)),
        Err(wrong) => prop_assert!(false, "{text}\n{printed}\n{wrong:?}"),
    }
    Ok(tree)
}

fn nodes(tree: &SqlTree) -> usize {
    match tree {
        SqlTree::All(parts) | SqlTree::Any(parts) => 1 + parts.iter().map(nodes).sum::<usize>(),
        SqlTree::Test(..) | SqlTree::Not(..) => 1,
    }
}

const TOKENS: [&str; 64] = [
    "(",
    "(",
    "(",
    ")",
    ")",
    ")",
    "AND",
    "AND",
    "OR",
    "OR",
    "NOT",
    "NOT",
    "IN",
    "IN (",
    "BETWEEN",
    "IS",
    "IS NOT",
    "NULL",
    "TRUE",
    "FALSE",
    "=",
    "!=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    ",",
    ".",
    "-",
    "+",
    "1",
    "2.5",
    "'a'",
    "\"b\"",
    "'2026-01-31'",
    "DATE",
    "DATE '2026-01-31'",
    "TIMESTAMP",
    "TIMESTAMP '2026-01-31 10:00'",
    "name",
    "phone_valid",
    "phone_valid",
    "created_at",
    "attributes",
    "attributes.a",
    "`attributes.b`",
    "attributes.a = 1",
    "name = 'x'",
    "name IN ('x', NULL)",
    "attributes.a BETWEEN 1 AND 2",
    "attributes.a NOT IN (DATE '2026-01-31', 1)",
    "STARTS_WITH(",
    "STARTS_WITH(name, 'a')",
    "CONTAINS_SUBSTR",
    "LOWER",
    "city",
    "SELECT",
    ";",
    "--",
    "'",
    "`",
    "\n",
    "\u{a0}",
];

/// Conditions joined as they may be.
fn sentence() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(vec![
        "phone_valid",
        "attributes.a = 1",
        "1 >= attributes.a",
        "name IN ('x', NULL)",
        "name NOT IN ('x', NULL)",
        "attributes.a NOT BETWEEN 1 AND 2",
        "attributes.a NOT IN (DATE '2026-01-31', 1)",
        "attributes.a <> TIMESTAMP '2026-01-31'",
        "attributes.a IS NOT TRUE",
        "STARTS_WITH(name, 'a')",
        "created_at < '31/01/2026'",
        "FALSE",
    ]);
    let leaf = condition.prop_map(ToOwned::to_owned);
    leaf.prop_recursive(6, 40, 3, |part| {
        let negation = prop_oneof![Just(""), Just("NOT "), Just("not\nNOT ")];
        let by = prop_oneof![Just(" AND "), Just(" OR "), Just("\r\nor ")];
        (
            prop::collection::vec((negation, part), 1..4),
            by,
            any::<bool>(),
        )
            .prop_map(|(parts, by, grouped)| {
                let parts = parts.iter().map(|(not, part)| format!("{not}{part}"));
                let text = parts.collect::<Vec<_>>().join(by);
                if grouped { format!("({text})") } else { text }
            })
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_it_was(tree in tree()) {
        let printed = print(&tree);
        let again = read(&printed);
        prop_assert!(again.is_ok(), "{printed}: {:?}", again.err());
        prop_assert!(again.is_ok_and(|again| again == tree), "{printed}");
    }

    #[test]
    fn what_is_read_is_no_larger_than_its_text(text in sentence()) {
        let tree = read_twice(&text)?;
        let tokens = lexer::tokens(&text).map_or(0, |(tokens, _)| tokens.len());
        prop_assert!(nodes(&tree) <= tokens, "{text}");
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in prop_oneof!["\\PC{0,200}", any::<String>()]) {
        let wrong = read(&text).err();
        prop_assert!(wrong.is_none_or(|wrong| wrong.pointer == "/0/conditions/0/expression"));
    }

    #[test]
    fn no_tokens_make_the_reader_fail(
        tokens in prop::collection::vec(prop::sample::select(TOKENS.to_vec()), 0..600),
        by in prop_oneof![Just(""), Just(" ")],
    ) {
        for length in [3, 6, 12, tokens.len()] {
            let some = tokens.get(..length).unwrap_or_default();
            let read = read_twice(&some.join(by));
            prop_assert!(!matches!(read, Err(TestCaseError::Fail(_))), "{read:?}", read = read.err());
        }
    }
}
