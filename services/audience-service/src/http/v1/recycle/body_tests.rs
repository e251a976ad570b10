use domain::{
    recycle::{DuplicateKey, Outcome, Rules},
    shared::{AudienceId, WorkspaceId},
};
use http_kit::Sealer;
use serde_json::{Value, json};

use super::*;

fn seal() -> PlanSeal {
    let workspace = WorkspaceId::parse("ws").unwrap();
    PlanSeal::new(Sealer::new(&[1; 32]), &workspace, AudienceId::from_raw(1))
}

fn parse(body: Value) -> Result<RecycleRequest, Problem> {
    let body: RecycleBody = http_kit::body::parse(body.to_string().as_bytes())?;
    request(body, &seal(), 3, Notation::default())
}

fn rules(body: Value) -> Rules {
    parse(json!({ "rules": body })).unwrap().rules
}

/// Bodies with one broken member, its place and the code of the refusal.
const BROKEN: &str = r#"[
    [{"rule": {}}, "/rule", "unknown_member"],
    [{"rules": {"x": 1}}, "/rules/x", "unknown_member"],
    [{"rules": {"documents": [7]}}, "/rules/documents/0", "invalid_type"],
    [{"rules": {"documents": ["1", " "]}}, "/rules/documents/1", "document_empty"],
    [{"rules": {"upload_id": "x"}}, "/rules/upload_id", "invalid_id"],
    [{"rules": {"audience_ids": ["op_1"]}}, "/rules/audience_ids/0", "invalid_id"],
    [{"rules": {"where": "x"}}, "/rules/where", "invalid_type"],
    [{"rules": {"where": {}}}, "/rules/where/groups", "invalid_type"],
    [{"rules": {"where": {"groups": [], "grouptype": "and"}}}, "/rules/where", "unknown_member"],
    [{"rules": {"where": {"groups": [], "groupType": "xor"}}}, "/rules/where/groupType", "invalid_value"],
    [{"rules": {"outcomes": ["busy", "gone"]}}, "/rules/outcomes/1", "unknown_value"],
    [{"rules": {"contacted": {"at": ""}}}, "/rules/contacted/at", "unknown_member"],
    [{"rules": {"contacted": {"from": "1"}}}, "/rules/contacted/from", "invalid_time"],
    [{"rules": {"attempts": {}}}, "/rules/attempts/at_least", "required"],
    [{"rules": {"attempts": {"at_least": 0}}}, "/rules/attempts/at_least", "too_small"],
    [{"rules": {"opted_out": 1}}, "/rules/opted_out", "invalid_type"],
    [{"rules": {"duplicates": {"by": []}}}, "/rules/duplicates/by", "required"],
    [{"rules": {"duplicates": {"by": ["name"]}}}, "/rules/duplicates/by/0", "unknown_value"],
    [
        {"rules": {"duplicates": {"by": ["phone"], "keep": "all"}}},
        "/rules/duplicates/keep",
        "unknown_value"
    ],
    [
        {"rules": {"min_hours_since_last_attempt": 0}},
        "/rules/min_hours_since_last_attempt",
        "too_small"
    ],
    [{"keep": {"documents": ["\u0000"]}}, "/keep/documents/0", "document_nul"],
    [{"keep": {"documents": ["1.23457E+10"]}}, "/keep/documents/0", "shortened_number"],
    [{"keep": {"audience_ids": [""]}}, "/keep/audience_ids/0", "invalid_id"],
    [{"target": {}}, "/target/type", "required"],
    [{"target": {"type": "other"}}, "/target/type", "unknown_value"],
    [{"target": {"type": "in_place", "name": "x"}}, "/target/name", "unknown_member"],
    [{"target": {"type": "new", "name": "a\nb"}}, "/target/name", "name_invalid"],
    [{"plan_tolerance": -1}, "/plan_tolerance", "invalid_value"]
]"#;

#[test]
fn broken_members_are_named_by_their_place() {
    let cases: Vec<(Value, String, String)> = serde_json::from_str(BROKEN).unwrap();
    for (body, pointer, code) in cases {
        let problem = parse(body.clone()).unwrap_err();
        assert_eq!(problem.status().as_u16(), 422, "{body}");
        let named: Vec<_> = problem
            .errors()
            .iter()
            .map(|e| (e.pointer.as_str(), e.code.as_ref()))
            .collect();
        assert_eq!(named, [(pointer.as_str(), code.as_str())], "{body}");
    }
}

#[test]
fn a_foreign_plan_is_refused() {
    let problem = parse(json!({"plan": "abc"})).unwrap_err();
    assert_eq!(problem.errors()[0].pointer, "/plan");
    assert_eq!(problem.errors()[0].code, "invalid_plan");
    assert!(parse(json!({"plan": ""})).unwrap().plan.is_none());
}

#[test]
fn more_documents_than_allowed_inline_are_too_large() {
    let documents = ["1", "2", "3", "4"];
    for body in [
        json!({"rules": {"documents": documents}}),
        json!({"keep": {"documents": documents}}),
    ] {
        assert_eq!(parse(body).unwrap_err().status().as_u16(), 413);
    }
    assert!(parse(json!({"rules": {"documents": ["1", "2", "3"]}})).is_ok());
}

#[test]
fn opted_out_goes_with_every_rule_and_is_none_on_its_own() {
    assert!(rules(json!({})).is_empty());
    assert!(rules(json!({"where": [], "upload_id": ""})).is_empty());
    assert!(rules(json!({"opted_out": true})).opted_out);
    assert!(rules(json!({"outcomes": ["busy"]})).opted_out);
    assert!(rules(json!({"documents": ["1"]})).opted_out);
    assert!(!rules(json!({"documents": ["1"], "opted_out": false})).opted_out);
}

#[test]
fn values_are_normalised_and_repeated_ones_count_once() {
    let request = parse(json!({
        "rules": {
            "documents": ["123.456.789-09"],
            "audience_ids": ["aud_5", "6"],
            "outcomes": ["busy", "busy"],
            "contacted": {"channel": " SMS ", "from": "2026-01-01T00:00:00-03:00"},
            "duplicates": {"by": ["phone", "phone"]},
        },
        "target": {"type": "new", "name": " "},
    }))
    .unwrap();
    assert_eq!(request.documents.documents[0].as_str(), "12345678909");
    assert_eq!(request.rules.audiences, [5, 6]);
    assert_eq!(request.rules.outcomes, [Outcome::Busy]);
    let contacted = request.rules.contacted.unwrap();
    assert_eq!(contacted.channel.as_deref(), Some("sms"));
    assert_eq!(
        contacted.from.unwrap().to_rfc3339(),
        "2026-01-01T03:00:00+00:00"
    );
    assert_eq!(request.rules.duplicates.unwrap().by, [DuplicateKey::Phone]);
    assert_eq!(request.new_audience, Some(None));
}
