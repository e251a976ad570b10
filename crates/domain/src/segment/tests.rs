use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ContactFacts, Notation, Predicate};
use crate::{
    contact::{ItemRules, NewContact, parse_item},
    shared::Instant,
};

fn facts(contact: &NewContact) -> ContactFacts<'_> {
    ContactFacts {
        document: &contact.document,
        body: &contact.body,
    }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn now() -> Instant {
    at("2024-03-10T12:00:00Z")
}

fn person() -> NewContact {
    let item = json!({
        "document": "123.456.789-09", "name": "Ana Souza", "phone": "(11) 98765-4321",
        "email": "Ana@Example.com", "city": "Recife", "age": 41, "score": "7.50", "vip": true,
        "sale": "2024-01-31", "key": 9_007_199_254_740_993_u64, "tags": "VIP, novo",
    });
    parse_item(item, &ItemRules::default(), now()).unwrap()
}

fn holds(groups: &Value) -> bool {
    let contact = person();
    let predicate = Predicate::parse(groups, "", Notation::default()).unwrap();
    let stored = serde_json::to_string(&predicate).unwrap();
    assert_eq!(
        serde_json::from_str::<Predicate>(&stored).unwrap(),
        predicate
    );
    predicate.matches(&facts(&contact), now())
}

fn condition(field: &str, operator: &str, value: &Value) -> Value {
    json!({"kind": "property", "field": field, "operator": operator, "value": value})
}

fn check(field: &str, operator: &str, value: Value) -> bool {
    holds(&json!([{"conditions": [condition(field, operator, &value)]}]))
}

#[test]
fn equality_follows_the_kept_form() {
    assert!(check("document", "equals", json!("12345678909")));
    assert!(check("document", "in", json!(["1", "123.456.789-09"])));
    assert!(check("phone", "equals", json!("11 98765 4321")));
    assert!(check("email", "equals", json!("ANA@example.com")));
    assert!(check("city", "equals", json!("Recife")) && !check("city", "equals", json!("recife")));
    assert!(check("attributes.age", "equals", json!("41")) && check("age", "in", json!([41.0])));
    assert!(check("score", "equals", json!(7.5)) && !check("score", "equals", json!("7.5")));
    assert!(check("vip", "equals", json!(true)) && check("vip", "equals", json!("true")));
    assert!(check("document_valid", "equals", json!(true)));
    assert!(check("document_kind", "not_in", json!(["cnpj", "other"])));
    assert!(check("phone_valid", "equals", json!("true")));
    assert!(!check("key", "equals", json!(9_007_199_254_740_992_u64)));
    assert!(check("key", "equals", json!(9_007_199_254_740_993_u64)));
}

#[test]
fn group_type_joins_the_groups_that_are_not_excluded() {
    let group = |city: &str, exclude: bool| json!({"exclude": exclude, "conditions": [condition("city", "equals", &json!(city))]});
    let (here, there) = (group("Recife", false), group("Natal", false));
    assert!(holds(&json!([here, there])));
    assert!(holds(&json!({"groups": [here, there]})));
    assert!(!holds(
        &json!({"groups": [here, there], "groupType": "and"})
    ));
    assert!(holds(&json!({"groups": [here, here], "groupType": "and"})));
    let not_there = group("Natal", true);
    assert!(holds(
        &json!({"groups": [here, not_there], "groupType": "and"})
    ));
    let not_here = group("Recife", true);
    assert!(!holds(
        &json!({"groups": [here, not_there, not_here], "groupType": "and"})
    ));
}

#[test]
fn text_is_searched_without_case() {
    assert!(
        check("name", "contains", json!("SOUZA")) && check("name", "starts_with", json!("ana"))
    );
    assert!(!check("name", "starts_with", json!("souza")));
    assert!(check("document", "starts_with", json!("123456")));
    assert!(!check("vip", "contains", json!("true")));
}

#[test]
fn order_is_typed() {
    assert!(check("age", "greater", json!(40)) && !check("age", "greater", json!(41)));
    assert!(check("age", "greater_or_equal", json!("41")) && check("age", "less", json!(41.5)));
    assert!(check("score", "between", json!([7, 7.5])) && !check("city", "less", json!(5)));
    assert!(check("sale", "before", json!("2024-02-01")));
    assert!(check(
        "sale",
        "between",
        json!(["2024-01-01", "2024-01-31"])
    ));
    assert!(!check("sale", "after", json!("2024-01-31")));
    assert!(check("updated_at", "equals", json!("2024-03-10")));
    assert!(check("updated_at", "less_or_equal", json!("2024-03-10")));
    assert!(!check("updated_at", "after", json!("2024-03-10")));
    assert!(check(
        "updated_at",
        "after",
        json!("2024-03-10T12:59:59+01:00")
    ));
    assert!(check("sale", "in_last_days", json!(40)) && !check("sale", "in_last_days", json!(39)));
}

#[test]
fn a_missing_value_fulfils_only_negations() {
    for operator in ["not_equals", "not_in", "not_exists"] {
        let value = match operator {
            "not_in" => json!(["x"]),
            "not_exists" => Value::Null,
            _ => json!("x"),
        };
        assert!(check("none", operator, value), "{operator}");
    }
    assert!(!check("none", "equals", json!("x")) && !check("none", "less", json!(1)));
    assert!(check("city", "exists", Value::Null) && !check("none", "exists", Value::Null));
}

#[test]
fn tags_are_labels_without_case() {
    let tag = |operator: &str, value: Value| {
        let condition = json!({"kind": "tag", "operator": operator, "value": value});
        holds(&json!([{"conditions": [condition]}]))
    };
    assert!(tag("has", json!("vip")) && tag("equals", json!("Novo")));
    assert!(!tag("has", json!("vi")) && tag("not_has", json!("vi")));
    assert!(tag("in", json!(["x", "VIP"])) && !tag("not_in", json!(["x", "VIP"])));
}

#[test]
fn groups_are_joined_by_or_and_excluded_ones_taken_away() {
    let (yes, no) = (
        condition("city", "equals", &json!("Recife")),
        condition("city", "equals", &json!("Olinda")),
    );
    assert!(!holds(&json!([{"conditions": [yes, no]}])));
    assert!(holds(&json!([{"logic": "or", "conditions": [yes, no]}])));
    assert!(holds(&json!([{"conditions": [no]}, {"conditions": [yes]}])));
    assert!(!holds(
        &json!([{"exclude": true, "conditions": [yes]}, {"conditions": [yes]}])
    ));
    assert!(holds(
        &json!([{"conditions": [yes]}, {"exclude": true, "conditions": [no]}])
    ));
}

#[test]
fn violations_point_at_what_is_wrong() {
    let broken = |groups: Value| {
        let violations =
            Predicate::parse(&groups, "/rules/where", Notation::default()).unwrap_err();
        let seen = violations.into_iter().map(|v| (v.pointer, v.code));
        seen.map(|(p, c)| (p.trim_start_matches("/rules/where").to_owned(), c))
            .collect::<Vec<_>>()
    };
    let one = |condition: Value| broken(json!([{"conditions": [condition]}]));
    let under = |member: &str, code| vec![(format!("/0/conditions/0{member}"), code)];
    assert_eq!(broken(json!("x")), [(String::new(), "invalid_type")]);
    assert_eq!(broken(json!({})), [("/groups".into(), "invalid_type")]);
    assert_eq!(broken(json!([])), [(String::new(), "empty")]);
    assert_eq!(broken(json!(vec![1; 21])), [(String::new(), "too_many")]);
    assert_eq!(
        broken(json!([{"conditions": vec![1; 51]}])),
        [("/0/conditions".into(), "too_many")]
    );
    assert_eq!(
        broken(json!([{"logic": "xor"}])),
        [("/0/logic".into(), "invalid_value")]
    );
    assert_eq!(
        broken(json!([{"exclude": 1}])),
        [("/0/exclude".into(), "invalid_type")]
    );
    assert_eq!(
        broken(json!([{"groups": []}])),
        [("/0".into(), "unknown_member")]
    );
    let fine = condition("a", "equals", &json!(1));
    let excluded = json!([{"exclude": true, "conditions": [fine]}]);
    assert_eq!(broken(excluded), [(String::new(), "nothing_included")]);
    for kind in ["consent", "event", "metric", "rfm", "audience", "sql"] {
        assert_eq!(
            one(json!({"kind": kind})),
            under("/kind", "unsupported_condition")
        );
    }
    assert_eq!(one(json!({"kind": "x"})), under("/kind", "unknown_kind"));
    assert_eq!(one(json!({})), under("/kind", "required"));
    let property = |f: &str, o: &str, v: Value| one(condition(f, o, &v));
    assert_eq!(
        property("a", "like", json!(1)),
        under("/operator", "unknown_operator")
    );
    assert_eq!(
        property("name", "less", json!(1)),
        under("/operator", "unsupported_operator")
    );
    assert_eq!(
        property("a", "in", json!(vec![1; 1001])),
        under("/value", "too_many")
    );
    assert_eq!(
        property("a", "in", json!([1, {}])),
        under("/value/1", "invalid_value")
    );
    assert_eq!(
        property("a", "exists", json!(1)),
        under("/value", "invalid_value")
    );
    assert_eq!(
        property("a", "between", json!([2, 1])),
        under("/value", "invalid_value")
    );
    assert_eq!(
        property("a", "after", json!("soon")),
        under("/value", "invalid_value")
    );
    assert_eq!(
        property("a", "in_last_days", json!(0)),
        under("/value", "invalid_value")
    );
    assert_eq!(
        property("document", "equals", json!(" ")),
        under("/value", "invalid_value")
    );
}

#[test]
fn texts_are_compared_in_the_form_in_which_they_are_kept() {
    let item = json!({
        "document": "AB\u{2010}1\u{200b}", "plano\u{301}": " Ba\u{301}sico\u{a0}",
        "email": "jo\u{e3}o@caf\u{e9}.com.br", "name": "Jose\u{301}", "tags": "Acao\u{303}, x",
    });
    let contact = parse_item(item, &ItemRules::default(), now()).unwrap();
    let held = |condition: Value| {
        let groups = json!([{ "conditions": [condition] }]);
        let predicate = Predicate::parse(&groups, "", Notation::default()).unwrap();
        predicate.matches(&facts(&contact), now())
    };
    for (field, operator, value) in [
        ("plan\u{f3}", "equals", "Básico"),
        ("plan\u{f3}", "equals", "Ba\u{301}sico "),
        ("plano\u{301}", "contains", "BA\u{301}S"),
        ("name", "equals", "José "),
        ("name", "starts_with", "JOSE\u{301}"),
        ("email", "equals", "JOA\u{303}O@xn--caf-dma.com.br"),
        ("email", "contains", "CAFÉ"),
        ("document", "equals", "\u{feff}ab-1"),
        ("document", "starts_with", "ab\u{2011}"),
    ] {
        assert!(
            held(condition(field, operator, &json!(value))),
            "{field} {operator} {value}"
        );
    }
    assert!(!held(
        json!({"kind": "tag", "operator": "has", "value": "ACA\u{303}O"})
    ));
    assert!(held(
        json!({"kind": "tag", "operator": "has", "value": "acaõ"})
    ));
}

#[test]
fn values_that_cannot_be_read_are_counted_once_each() {
    let item = json!({
        "document": "1", "valor": "dez", "data": "ontem", "vip": true, "idade": 41, "vazio": " ",
        "bom": "10,50", "dia": "31/01/2026",
    });
    let contact = parse_item(item, &ItemRules::default(), now()).unwrap();
    let unread = |conditions: Value| {
        let groups = json!([{"logic": "or", "conditions": conditions}, {"exclude": true, "conditions": conditions}]);
        let predicate = Predicate::parse(&groups, "", Notation::default()).unwrap();
        predicate.unreadable(&facts(&contact))
    };
    for (field, operator, value, count) in [
        ("valor", "greater", json!(1), 1),
        ("valor", "between", json!([1, 2]), 1),
        ("valor", "equals", json!(10), 0),
        ("valor", "contains", json!("de"), 0),
        ("data", "after", json!("2026-01-01"), 1),
        ("data", "in_last_days", json!(7), 1),
        ("vip", "less", json!(1), 1),
        ("idade", "less", json!(1), 0),
        ("idade", "before", json!("01/01/2026"), 1),
        ("vazio", "less", json!(1), 0),
        ("none", "less", json!(1), 0),
        ("bom", "less", json!(1), 0),
        ("bom", "after", json!("2026-01-01"), 1),
        ("dia", "after", json!("2026-01-01"), 0),
        ("updated_at", "after", json!("2026-01-01"), 0),
    ] {
        assert_eq!(
            unread(json!([condition(field, operator, &value)])),
            count,
            "{field} {operator}"
        );
    }
    let less = condition("valor", "less", &json!(1));
    let after = condition("valor", "after", &json!("2026-01-01"));
    assert_eq!(
        unread(json!([less, condition("valor", "greater", &json!(5))])),
        1
    );
    assert_eq!(unread(json!([less, after])), 2);
}

#[test]
fn numbers_are_compared_exactly() {
    let long = "123456789012345678901234567890";
    let item = json!({"document": "1", "n": long, "d": "0,1000000000000000055", "f": 7.5});
    let contact = parse_item(item, &ItemRules::default(), now()).unwrap();
    let held = |field: &str, operator: &str, value: Value| {
        let groups = json!([{"conditions": [condition(field, operator, &value)]}]);
        let predicate = Predicate::parse(&groups, "", Notation::default()).unwrap();
        predicate.matches(&facts(&contact), now())
    };
    assert!(held(
        "n",
        "greater",
        json!("123456789012345678901234567889")
    ));
    assert!(!held("n", "greater", json!(long)) && held("n", "less_or_equal", json!(long)));
    assert!(
        held("d", "greater", json!(0.1)) && !held("d", "greater", json!("0.1000000000000000055"))
    );
    assert!(held("f", "equals", json!("7,50")) && held("f", "in", json!(["x", "7.5"])));
}

#[test]
fn debug_shows_no_values() {
    let groups = json!([{"conditions": [condition("name", "contains", &json!("souza"))]}]);
    assert!(
        !format!(
            "{:?}",
            Predicate::parse(&groups, "", Notation::default()).unwrap()
        )
        .contains("souza")
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = "logic|exclude|conditions|kind|field|operator|value|property|tag|in|between|or|x";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(words, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-50_i64..50).prop_map(Value::from),
        "Recife|7.50|41|true|2024-01-31|x".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn parsing_never_panics(groups in any_json(), operator in "[a-z_]{2,16}|in|between|in_last_days|after") {
        let _ = Predicate::parse(&groups, "", Notation::default());
        let conditions = json!([{"conditions": [condition("a", &operator, &groups)]}]);
        if let Ok(predicate) = Predicate::parse(&conditions, "", Notation::default()) {
            let contact = person();
            let _ = predicate.matches(&facts(&contact), now());
        }
    }

    #[test]
    fn a_negation_is_the_complement(
        field in "city|age|score|vip|sale|none|name", value in scalar(), more in scalar(),
    ) {
        if field != "name" {
            prop_assert_ne!(check(&field, "equals", value.clone()), check(&field, "not_equals", value.clone()));
            let list = json!([value, more]);
            prop_assert_ne!(check(&field, "in", list.clone()), check(&field, "not_in", list));
        }
        prop_assert_ne!(check(&field, "exists", Value::Null), check(&field, "not_exists", Value::Null));
    }

    #[test]
    fn exclusion_is_set_difference(a in scalar(), b in scalar(), field in "city|age|score|vip") {
        let group = |value: &Value, exclude: bool| {
            json!({"exclude": exclude, "conditions": [condition(&field, "equals", value)]})
        };
        let both = holds(&json!([group(&b, true), group(&a, false)]));
        let difference = holds(&json!([group(&a, false)])) && !holds(&json!([group(&b, false)]));
        prop_assert_eq!(both, difference);
    }
}

#[test]
fn windows_depend_on_time_and_nothing_else_does() {
    let depends = |operator, value: Value| {
        let groups = json!([{ "conditions": [condition("sale", operator, &value)] }]);
        let predicate = Predicate::parse(&groups, "", Notation::default());
        predicate.unwrap().depends_on_time()
    };
    assert!(depends("in_last_days", json!(7)));
    assert!(!depends("equals", json!("2024-01-31")));
}
