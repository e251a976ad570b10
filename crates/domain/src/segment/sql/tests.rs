//! What may be written, what it means, and how everything else is refused.

use serde_json::{Value, json};

use super::{super::INCOMPLETE, *};
use crate::{
    segment::{Condition, Notation, Predicate},
    shared::Violation,
};

pub(super) fn read(text: &str) -> Result<SqlTree, Violation> {
    let groups = json!([{"conditions": [{"kind": "sql", "expression": text}]}]);
    let read = Predicate::parse_segment(&groups, "", Notation::default());
    let predicate = read.map_err(|mut wrong| wrong.remove(0))?;
    let stored = serde_json::to_string(&predicate).unwrap();
    let again: Predicate = serde_json::from_str(&stored).unwrap();
    assert!(again == predicate, "{stored}");
    match predicate
        .groups
        .into_iter()
        .next()
        .unwrap()
        .conditions
        .remove(0)
    {
        Condition::Sql(sql) => {
            assert_eq!(sql.text, text);
            Ok(sql.meaning)
        }
        _ => panic!("another kind"),
    }
}

fn meaning(text: &str) -> Value {
    let tree = read(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    serde_json::to_value(tree).unwrap()
}

/// The code and the detail of what is wrong.
fn refused(text: &str) -> (&'static str, String) {
    let wrong = read(text).err().unwrap_or_else(|| panic!("{text} is read"));
    assert_eq!(wrong.pointer, "/0/conditions/0/expression");
    (wrong.code, wrong.detail)
}

fn test(field: &str, test: Value) -> Value {
    json!({"test": [field_of(field), test]})
}

fn not(field: &str, test: Value) -> Value {
    json!({"not": [field_of(field), test]})
}

fn field_of(name: &str) -> Value {
    match name.strip_prefix("attributes.") {
        Some(name) => json!({ "attribute": name }),
        None => json!(name),
    }
}

fn check(table: &[(&str, &str)], code: &str) {
    for (text, wanted) in table {
        let (found, detail) = refused(text);
        assert_eq!(found, code, "{text}: {detail}");
        assert!(detail.starts_with(wanted), "{text}: {detail}");
    }
}

/// A condition on a property, as the other kind of condition has it.
fn property(field: &str, operator: &str, value: Value) -> Value {
    let condition =
        json!({"kind": "property", "field": field, "operator": operator, "value": value});
    let groups = json!([{"conditions": [condition]}]);
    let predicate = Predicate::parse_segment(&groups, "", Notation::default()).unwrap();
    let condition = serde_json::to_value(&predicate.groups[0].conditions[0]).unwrap();
    test(field, condition["test"].clone())
}

fn any_text(texts: &[&str]) -> Value {
    json!({"in": {"texts": texts}})
}

#[test]
fn conditions_are_tests_of_fields() {
    let ana = any_text(&["Ana"]);
    for text in [
        "name = 'Ana'",
        "\tNAME\r\n=\"Ana\" ",
        "`name`='Ana'",
        "'Ana' = name",
        "((name = 'Ana'))",
        "NOT NOT name = 'Ana'",
        "NOT name != 'Ana'",
        "not (name <> 'Ana')",
        "name IN ('Ana')",
        "name in ('Ana', NULL)",
        "NOT name NOT IN ('Ana', NULL)",
        r"name = '\x41\u006E\U00000061'",
        r"name = '\101na'",
    ] {
        assert_eq!(meaning(text), test("name", ana.clone()), "{text}");
    }
    for text in [
        "name != 'Ana'",
        "name <> 'Ana'",
        "NOT name = 'Ana'",
        "NOT (name = 'Ana')",
        "name NOT IN ('Ana')",
        "NOT name IN ('Ana', NULL) OR name != 'Ana'",
    ] {
        let read = meaning(text);
        let wanted = not("name", ana.clone());
        let undecided = json!({"any": [{"any": []}, wanted]});
        assert!(read == wanted || read == undecided, "{text}: {read}");
    }
    let novo = test("attributes.plano novo", any_text(&["x"]));
    for text in [
        "attributes.`plano novo` = 'x'",
        "`attributes.plano novo` = 'x'",
        "Attributes . `plano novo` = 'x'",
    ] {
        assert_eq!(meaning(text), novo, "{text}");
    }
    let select = test("attributes.select", any_text(&["x"]));
    assert_eq!(meaning("attributes.select = 'x'"), select);
    assert_eq!(
        meaning("attributes.name IS NULL"),
        test("attributes.name", json!("not_exists"))
    );
    assert_eq!(meaning("NOT name IS NULL"), test("name", json!("exists")));
    assert_eq!(meaning("TRUE"), json!({"all": []}));
    assert_eq!(meaning("NOT TRUE"), json!({"any": []}));
    assert_eq!(meaning("name IN (NULL)"), json!({"any": []}));
    assert_eq!(meaning("name NOT IN ('a', NULL)"), json!({"any": []}));
}

#[test]
fn truth_values_are_tested() {
    let is = |value: bool| test("phone_valid", json!({"in": {"bools": [value]}}));
    for (text, wanted) in [
        ("phone_valid", is(true)),
        ("NOT phone_valid", is(false)),
        ("phone_valid IS TRUE", is(true)),
        ("phone_valid IS FALSE", is(false)),
        ("phone_valid = TRUE", is(true)),
        ("FALSE = phone_valid", is(false)),
    ] {
        assert_eq!(meaning(text), wanted, "{text}");
    }
    let is_not = |field| test(field, json!({"not_in": {"bools": [true]}}));
    assert_eq!(meaning("phone_valid IS NOT TRUE"), is_not("phone_valid"));
    assert_eq!(
        meaning("NOT attributes.vip IS TRUE"),
        is_not("attributes.vip")
    );
    assert_eq!(
        meaning("attributes.vip != TRUE"),
        not("attributes.vip", json!({"in": {"bools": [true]}}))
    );
}

#[test]
fn negations_of_orders_are_orders() {
    let age = |operator, value| property("attributes.age", operator, value);
    for (text, operator) in [
        ("attributes.age > 5", "greater"),
        ("5 < attributes.age", "greater"),
        ("NOT attributes.age <= 05", "greater"),
        ("attributes.age >= 5.0", "greater_or_equal"),
        ("NOT 5 > attributes.age", "greater_or_equal"),
        ("attributes.age < +5", "less"),
        ("NOT attributes.age >= 5e0", "less"),
        ("attributes.age <= 5", "less_or_equal"),
        ("NOT (attributes.age > 5)", "less_or_equal"),
    ] {
        assert_eq!(meaning(text), age(operator, json!(5)), "{text}");
    }
    assert_eq!(meaning("attributes.age < -.5"), age("less", json!(-0.5)));
    let between = age("between", json!([1, 2]));
    let outside = json!({"any": [age("less", json!(1)), age("greater", json!(2))]});
    for (text, wanted) in [
        ("attributes.age BETWEEN 1 AND 2", between.clone()),
        ("NOT attributes.age NOT BETWEEN 1 AND 2", between),
        ("attributes.age NOT BETWEEN 1 AND 2", outside.clone()),
        ("NOT attributes.age BETWEEN 1 AND 2", outside),
    ] {
        assert_eq!(meaning(text), wanted, "{text}");
    }
}

#[test]
fn dates_are_days_and_instants() {
    let day = json!(["2026-01-31T03:00:00Z", "2026-02-01T02:59:59.999999999Z"]);
    let noon = json!(["2026-01-31T15:00:00Z", "2026-01-31T15:00:00Z"]);
    let midnight = json!(["2026-01-31T03:00:00Z", "2026-01-31T03:00:00Z"]);
    for (literal, date) in [
        ("DATE '2026-01-31'", &day),
        ("'2026-01-31'", &day),
        ("'31/01/2026'", &day),
        ("TIMESTAMP '2026-01-31'", &midnight),
        ("timestamp \"2026-01-31 12:00:00\"", &noon),
        ("TIMESTAMP '2026-01-31T12:00'", &noon),
        ("TIMESTAMP'2026-01-31 13:00:00-02:00'", &noon),
        ("TIMESTAMP '2026-01-31T15:00:00Z'", &noon),
    ] {
        let bound = json!({ "date": date });
        let after = test("created_at", json!({"greater": bound}));
        assert_eq!(
            meaning(&format!("created_at > {literal}")),
            after,
            "{literal}"
        );
        let on = test("created_at", json!({"in": {"dates": [bound]}}));
        assert_eq!(meaning(&format!("created_at = {literal}")), on, "{literal}");
    }
    let bound = json!({ "date": day });
    let within = test("attributes.sale", json!({"between": [bound, bound]}));
    assert_eq!(meaning("attributes.sale = DATE '2026-01-31'"), within);
    assert_eq!(
        meaning("attributes.sale IN (DATE '2026-01-31', 'never')"),
        json!({"any": [test("attributes.sale", any_text(&["never"])), within]})
    );
    assert_eq!(
        meaning("attributes.sale != DATE '2026-01-31'"),
        json!({"any": [
            test("attributes.sale", json!({"less": bound})),
            test("attributes.sale", json!({"greater": bound})),
        ]})
    );
}

#[test]
fn functions_search_without_case() {
    assert_eq!(
        meaning("starts_with(name, 'ANA')"),
        test("name", json!({"starts_with": "ana"}))
    );
    assert_eq!(
        meaning("NOT CONTAINS_SUBSTR(attributes.city, 'Re%_\\\\')"),
        not("attributes.city", json!({"contains": "re%_\\"}))
    );
}

#[test]
fn operators_bind_as_in_sql() {
    let a = |value: &str| test("name", any_text(&[value]));
    assert_eq!(
        meaning("name = '1' OR name = '2' AND name = '3' OR (name = '4')"),
        json!({"any": [a("1"), {"all": [a("2"), a("3")]}, a("4")]})
    );
    assert_eq!(
        meaning("(name = '1' OR name = '2') AND name = '3'"),
        json!({"all": [{"any": [a("1"), a("2")]}, a("3")]})
    );
    let no = |value: &str| not("name", any_text(&[value]));
    assert_eq!(
        meaning("NOT (name = '1' OR NOT (name = '2' AND name = '3'))"),
        json!({"all": [no("1"), {"all": [a("2"), a("3")]}]})
    );
    assert_eq!(
        meaning("attributes.a BETWEEN 1 AND 2 AND phone_valid"),
        json!({"all": [meaning("attributes.a BETWEEN 1 AND 2"), meaning("phone_valid")]})
    );
}

#[test]
fn strings_are_read_exactly() {
    for (literal, text) in [
        ("''", ""),
        (r#""it's""#, "it's"),
        (r"'it\'s'", "it's"),
        (r#"'say "x"'"#, "say \"x\""),
        (r"'\\'", "\\"),
        (r"'\a\b\f\n\r\t\v\?\`!'", "\u{7}\u{8}\u{c}\n\r\t\u{b}?`!"),
        (r"'\xe9\351\u00e9\U000000e9é'", "ééééé"),
        (r"'\U0001F600'", "\u{1F600}"),
        ("'-- /* ; $$ ’ \u{a0}x'", "-- /* ; $$ ’ \u{a0}x"),
        ("'%_'", "%_"),
    ] {
        let wanted = test("client_id", any_text(&[text]));
        assert_eq!(
            meaning(&format!("client_id = {literal}")),
            wanted,
            "{literal}"
        );
    }
}

#[test]
fn more_of_sql_than_an_expression_is_refused_at_its_place() {
    let invalid = [
        ("name = 'a' -- x", "line 1, column 12: comments"),
        ("name = 5--3", "line 1, column 9: comments"),
        ("phone_valid # x", "line 1, column 13: comments"),
        ("phone_valid\n  /* x */", "line 2, column 3: comments"),
        ("phone_valid; DROP TABLE x", "line 1, column 12: semicolons"),
        ("name = @x", "line 1, column 8: parameters"),
        ("name = ?", "line 1, column 8: parameters"),
        ("name = :x", "line 1, column 8: parameters"),
        ("name = $$x$$", "line 1, column 8: strings"),
        ("name = $1", "line 1, column 8: strings"),
        ("name::text = 'x'", "line 1, column 5: casts"),
        ("CAST(name AS STRING) = 'x'", "line 1, column 1: casts"),
        ("name = safe_cast('x' AS STRING)", "line 1, column 8: casts"),
        (
            "name IN (SELECT name FROM x)",
            "line 1, column 10: subqueries",
        ),
        ("(select 1) = 1", "line 1, column 2: subqueries"),
        (
            "phone_valid AND EXISTS(SELECT 1)",
            "line 1, column 17: subqueries",
        ),
        ("name IN UNNEST(['x'])", "line 1, column 9: subqueries"),
        ("name = ANY('x')", "line 1, column 8: subqueries"),
        (
            "CASE WHEN phone_valid THEN TRUE END",
            "line 1, column 1: CASE",
        ),
        ("name IS DISTINCT FROM 'x'", "line 1, column 9: DISTINCT"),
        ("name LIKE '%x'", "line 1, column 6: patterns"),
        ("name NOT LIKE '%x'", "line 1, column 10: patterns"),
    ];
    check(&invalid, "invalid_sql");
}

#[test]
fn other_strings_and_look_alikes_are_refused_at_their_place() {
    let invalid = [
        ("name = r'x'", "line 1, column 8: strings have no prefix"),
        ("name = B\"x\"", "line 1, column 8: strings have no prefix"),
        ("name = E'x'", "line 1, column 8: strings have no prefix"),
        ("name = N'x'", "line 1, column 8: strings have no prefix"),
        (
            "name = '''x'''",
            "line 1, column 8: strings stand in one pair",
        ),
        ("name = 'it''s'", "line 1, column 12: a quote within quotes"),
        ("name = 'x", "line 1, column 8: the quote is not closed"),
        ("name = 'x\\'", "line 1, column 8: the quote is not closed"),
        ("name = 'x\ny'", "line 1, column 10: a line ends"),
        (r"name = '\q'", "line 1, column 9: is no escape"),
        (r"name = 'é\xg0'", "line 1, column 10: is no escape"),
        (r"name = '\ud800'", "line 1, column 9: is no escape"),
        (r"name = '\U00110000'", "line 1, column 9: is no escape"),
        (r"name = '\400'", "line 1, column 9: is no escape"),
        (r"name = '\18'", "line 1, column 9: is no escape"),
        (r"name = '\000'", "line 1, column 9: is no escape"),
        ("name = '\0'", "line 1, column 9: U+0000"),
        ("`name = 'x'", "line 1, column 1: the quote is not closed"),
        ("name = ‘x’", "line 1, column 8: U+2018"),
        ("name = “x”", "line 1, column 8: U+201C"),
        ("name ＝ 'x'", "line 1, column 6: U+FF1D"),
        ("name ≠ 'x'", "line 1, column 6: U+2260"),
        ("nаme = 'x'", "line 1, column 2: U+0430"),
        ("name\u{a0}= 'x'", "line 1, column 5: U+00A0"),
        ("name\r\n =\r\u{3000}'x'", "line 3, column 1: U+3000"),
        ("\u{feff}name = 'x'", "line 1, column 1: U+FEFF"),
        ("name = 'é' \u{200b}", "line 1, column 12: U+200B"),
        ("name\u{c}= 'x'", "line 1, column 5: U+000C"),
        ("attributes.preço = 1", "line 1, column 15: U+00E7"),
        ("name \\ 'x'", "line 1, column 6: U+005C"),
    ];
    check(&invalid, "invalid_sql");
}

#[test]
fn other_operators_are_refused_at_their_place() {
    let invalid = [
        ("attributes.a + 1 > 2", "line 1, column 14: arithmetic"),
        ("attributes.a > 2 * 3", "line 1, column 18: arithmetic"),
        ("attributes.a > 1 - 1", "line 1, column 18: arithmetic"),
        ("attributes.a > - -1", "line 1, column 16: arithmetic"),
        ("-attributes.a > 1", "line 1, column 1: arithmetic"),
        ("attributes.a > 5 DIV 2", "line 1, column 18: arithmetic"),
        ("name == 'x'", "line 1, column 7: a literal"),
        (
            "phone_valid && email_valid",
            "line 1, column 13: the operator is AND",
        ),
        (
            "phone_valid || email_valid",
            "line 1, column 13: the operator is OR",
        ),
        ("!phone_valid", "line 1, column 1: the operator is NOT"),
        ("phone_valid = ['x']", "line 1, column 15: lists"),
        ("name <=> 'x'", "line 1, column 8: a literal"),
    ];
    check(&invalid, "invalid_sql");
}

#[test]
fn whatever_is_no_expression_is_refused_at_its_place() {
    check(
        &[
            ("name = email", "line 1, column 8: a literal"),
            ("name = Ana", "line 1, column 8: a literal"),
            ("1 = 1", "line 1, column 5: a field"),
            ("'x'", "line 1, column 4: a comparison with a field"),
            ("NULL", "line 1, column 5: a comparison with a field"),
            (
                "'x' IN ('x')",
                "line 1, column 5: a comparison with a field",
            ),
            ("name = NULL", "line 1, column 8: a comparison with NULL"),
            ("NULL != name", "line 1, column 1: a comparison with NULL"),
            (
                "attributes.a BETWEEN NULL AND 1",
                "line 1, column 22: a comparison with NULL",
            ),
            ("name", "line 1, column 5: a comparison is"),
            (
                "attributes.vip",
                "line 1, column 15: a comparison is expected here, such as = TRUE",
            ),
            (
                "attributes.vip AND phone_valid",
                "line 1, column 16: a comparison is",
            ),
            (
                "attributes.a.b = 1",
                "line 1, column 13: a name with a point",
            ),
            ("phone_valid AND", "line 1, column 16: a condition"),
            (
                "phone_valid AND AND email_valid",
                "line 1, column 17: a condition",
            ),
            ("OR phone_valid", "line 1, column 1: a condition"),
            ("NOT", "line 1, column 4: a condition"),
            ("()", "line 1, column 2: a condition"),
            ("(phone_valid", "line 1, column 13: AND, OR or a closing"),
            ("(phone_valid,", "line 1, column 13: AND, OR or a closing"),
            ("phone_valid)", "line 1, column 12: AND, OR or the end"),
            (
                "phone_valid email_valid",
                "line 1, column 13: AND, OR or the end",
            ),
            ("name = 'a' = TRUE", "line 1, column 12: AND, OR or the end"),
            (
                "(name = 'a') IS TRUE",
                "line 1, column 14: AND, OR or the end",
            ),
            ("name IN ()", "line 1, column 10: a literal"),
            ("name IN 'a'", "line 1, column 9: a list"),
            ("name IN ('a' 'b')", "line 1, column 14: a comma"),
            ("name IN ('a',)", "line 1, column 14: a literal"),
            ("name IS 'a'", "line 1, column 9: NULL, TRUE or FALSE"),
            ("name NOT = 'a'", "line 1, column 6: a comparison"),
            (
                "attributes.a BETWEEN 1 OR 2",
                "line 1, column 24: AND and the upper end",
            ),
            ("STARTS_WITH('a', name)", "line 1, column 13: a field"),
            ("STARTS_WITH(name, email)", "line 1, column 19: a string"),
            ("STARTS_WITH(name)", "line 1, column 17: a comma"),
            (
                "STARTS_WITH(name, 'a', 'b')",
                "line 1, column 22: a closing",
            ),
            ("STARTS_WITH(name, '')", "line 1, column 19: must be text"),
            (
                "CONTAINS_SUBSTR(phone_valid, 't')",
                "line 1, column 1: this field does not have",
            ),
        ],
        "invalid_sql",
    );
}

#[test]
fn literals_must_fit_their_fields() {
    check(
        &[
            ("document = 123", "line 1, column 12: this field cannot"),
            (
                "document_kind IN ('cpf',\n 'x')",
                "line 2, column 2: this field cannot",
            ),
            ("phone_valid = 1", "line 1, column 15: this field cannot"),
            ("name IS TRUE", "line 1, column 9: this field cannot"),
            ("name > 'a'", "line 1, column 6: this field does not have"),
            ("created_at > 5", "line 1, column 14: must be a date"),
            (
                "created_at BETWEEN '2026-01-01' AND 'x'",
                "line 1, column 37: must be a date",
            ),
            ("created_at = TRUE", "line 1, column 14: this field cannot"),
            (
                "attributes.a > TRUE",
                "line 1, column 16: must be a number or a date",
            ),
            (
                "attributes.a > 'x'",
                "line 1, column 16: must be a number or a date",
            ),
            (
                "attributes.a BETWEEN 2 AND 1",
                "line 1, column 22: must be two numbers",
            ),
            (
                "attributes.a BETWEEN 2 AND '2026-01-01'",
                "line 1, column 22: must be two",
            ),
            (
                "name = DATE '2026-01-31'",
                "line 1, column 8: this field is no date",
            ),
            (
                "created_at > DATE '31/01/2026'",
                "line 1, column 14: must be a day",
            ),
            (
                "created_at > DATE '2026-02-30'",
                "line 1, column 14: must be a day",
            ),
            (
                "created_at > DATE '2026-01-31 10:00'",
                "line 1, column 14: must be a day",
            ),
            (
                "created_at > TIMESTAMP '31/01/2026 10:00'",
                "line 1, column 14: must be of",
            ),
            (
                "created_at > TIMESTAMP 'x'",
                "line 1, column 14: must be of",
            ),
            (
                "created_at > DATETIME '2026-01-31'",
                "line 1, column 14: a literal",
            ),
            ("attributes.a = 1.", "line 1, column 16: is no number"),
            ("attributes.a = 1.e5", "line 1, column 16: is no number"),
            ("attributes.a = 1x", "line 1, column 16: is no number"),
            ("attributes.a = 0x1F", "line 1, column 16: is no number"),
            ("attributes.a = 1e", "line 1, column 16: is no number"),
            ("attributes.a = 1.2.3", "line 1, column 16: is no number"),
            ("attributes.a = 1e999", "line 1, column 16: has more digits"),
            (
                "attributes.a = 123456789012345678901234567890",
                "line 1, column 16: has more",
            ),
            (
                "attributes.a = 0.1000000000000000055",
                "line 1, column 16: has more digits",
            ),
        ],
        "invalid_sql",
    );
}

#[test]
fn unknown_names_are_refused_with_those_that_there_are() {
    check(
        &[
            (
                "city = 'x'",
                "line 1, column 1: must be one of document, name",
            ),
            ("`created at` = 'x'", "line 1, column 1: must be one of"),
            ("`` = 'x'", "line 1, column 1: must be one of"),
            (
                "phone_valid AND\n `attributes.` = 'x'",
                "line 2, column 2: must be one of",
            ),
            ("'x' = city", "line 1, column 7: must be one of"),
            ("attributes = 1", "line 1, column 1: must be one of"),
            ("customers.name = 'x'", "line 1, column 1: must be one of"),
            (
                "STARTS_WITH(city, 'x')",
                "line 1, column 13: must be one of",
            ),
        ],
        "unknown_field",
    );
    let (_, detail) = refused("city = 'x'");
    assert!(
        detail.contains("external_id") && detail.contains("attributes.name"),
        "{detail}"
    );
    check(
        &[
            (
                "LOWER(name) = 'x'",
                "line 1, column 1: this function is not needed",
            ),
            (
                "name = upper('x')",
                "line 1, column 8: this function is not needed",
            ),
            ("SLEEP(5)", "line 1, column 1: the only functions"),
            (
                "name = CURRENT_USER()",
                "line 1, column 8: the only functions",
            ),
            (
                "STARTS_WITH(TRIM(name), 'x')",
                "line 1, column 13: the only functions",
            ),
            ("name (5)", "line 1, column 1: the only functions"),
        ],
        "unknown_function",
    );
}

#[test]
fn nothing_that_was_written_is_repeated() {
    for text in [
        "name = 'Segredo' 'Segredo'",
        "Segredo = 'Segredo'",
        "name = Segredo",
        "Segredo('x')",
        "created_at > 'Segredo'",
        "DATE 'Segredo' = created_at",
        "document_kind = 'Segredo'",
        "`Segredo` = 1",
        "name = 'Segredo",
        "name LIKE 'Segredo'",
    ] {
        let (_, detail) = refused(text);
        assert!(!detail.to_lowercase().contains("segredo"), "{detail}");
    }
}

#[test]
fn sizes_are_bounded() {
    for empty in ["", "  \n"] {
        assert_eq!(refused(empty).0, INCOMPLETE);
    }
    let chain = |count: usize, by: &str| vec!["phone_valid"; count].join(by);
    for by in [" OR ", " AND ", "\nOR NOT\r\n"] {
        assert!(read(&chain(166, by)).is_ok());
    }
    assert!(read(&chain(250, " OR ")).is_ok());
    let (code, detail) = refused(&chain(251, " OR "));
    assert_eq!(code, "too_long");
    assert!(detail.starts_with("line 1, column 3751: "), "{detail}");
    assert!(read(&format!("{}phone_valid", "NOT ".repeat(499))).is_ok());
    let nested = |depth: usize| format!("{}phone_valid{}", "(".repeat(depth), ")".repeat(depth));
    assert!(read(&nested(20)).is_ok());
    for depth in [21, 249, 499, 4_000] {
        let (code, detail) = refused(&nested(depth));
        assert!(matches!(code, "invalid_sql" | "too_long"), "{code}");
        assert!(
            depth > 249 || detail.starts_with("line 1, column 21: "),
            "{detail}"
        );
    }
    assert_eq!(refused(&nested(10_000)).0, "too_long");
    assert_eq!(refused(&"(".repeat(499)).0, "invalid_sql");
    let text = |length: usize| format!("name = '{}'", "x".repeat(length - 9));
    assert!(read(&text(8192)).is_ok());
    assert_eq!(refused(&text(8193)).0, "too_long");
}

#[test]
fn the_deepest_tree_is_stored_and_read_again() {
    let mut text = "attributes.a NOT BETWEEN 1 AND 2".to_owned();
    for _ in 0..20 {
        text = format!("phone_valid OR email_valid AND NOT NOT ({text})");
    }
    assert_eq!(read(&text).unwrap().collected(), 42);
}

impl SqlTree {
    fn collected(&self) -> usize {
        let mut tests = Vec::new();
        self.collect(&mut tests);
        tests.len()
    }
}
