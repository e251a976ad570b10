//! Imports of contacts.

use actix_web::{HttpRequest, HttpResponse, dev::Payload, http::StatusCode, web::Query};
use http_kit::body;
use ports::importing::ImportKind;
use serde_json::{Map, Value};

use super::{Admin, Refused, Started, refused, start};

/// Largest body in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// Starts the import of contacts, of one client or of all.
#[utoipa::path(
    post, path = "/api/admin/sync/contacts", tag = "jobs", operation_id = "syncContacts",
    security(("admin" = [])),
    params(
        ("clientSlug" = Option<String>, Query, description = "The client"),
        ("slug" = Option<String>, Query, description = "The same"),
    ),
    request_body(content = Option<Object>, description = "`clientSlug` or `slug`, or nothing"),
    responses(
        (status = 202, description = "Started", body = Started),
        (status = 400, description = "The body cannot be read; nothing was started", body = Refused),
        (status = 401, description = "Wrong or missing token", body = Refused),
    )
)]
pub async fn sync(admin: Admin, request: HttpRequest, payload: Payload) -> HttpResponse {
    let read = body::read(payload, request.headers(), LARGEST_BODY).await;
    let sent = read.ok().and_then(|bytes| members(&bytes));
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string()).ok();
    let slug = sent
        .zip(query)
        .and_then(|(body, query)| chosen(&query, &body));
    match slug {
        Some(slug) => start(&admin, ImportKind::Contacts, slug).await,
        None => refused(StatusCode::BAD_REQUEST, "invalid body"),
    }
}

/// The members of a body; none where there is no body, and no answer where it is no object.
fn members(bytes: &[u8]) -> Option<Map<String, Value>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(Map::new());
    }
    serde_json::from_slice(bytes).ok()
}

/// The slug that counts: `clientSlug` of the query, then of the body, then `slug` of the query, then of
/// the body. A blank one is none; no answer where one in the body is no text.
fn chosen(query: &[(String, String)], body: &Map<String, Value>) -> Option<Option<String>> {
    let in_query = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let in_body = |name: &str| match body.get(name) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.as_str())),
        Some(_) => None,
    };
    let candidates = [
        in_query("clientSlug"),
        in_body("clientSlug")?,
        in_query("slug"),
        in_body("slug")?,
    ];
    let named = candidates.into_iter().flatten().map(str::trim);
    Some(
        named
            .filter(|slug| !slug.is_empty())
            .map(str::to_owned)
            .next(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slugs_are_chosen_in_the_order_of_the_contract() {
        let query = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect::<Vec<_>>()
        };
        let pick = |pairs: &[(&str, &str)], body: Value| {
            let body = members(body.to_string().as_bytes())?;
            chosen(&query(pairs), &body)
        };
        let some = |slug: &str| Some(Some(slug.to_owned()));
        let all = [("slug", "c"), ("clientSlug", "a")];
        let body = json!({"clientSlug": "b", "slug": "d"});
        assert_eq!(pick(&all, body.clone()), some("a"));
        assert_eq!(pick(&[("slug", "c")], body), some("b"));
        assert_eq!(pick(&[("slug", "c")], json!({"slug": "d"})), some("c"));
        assert_eq!(pick(&[("slug", " ")], json!({"slug": " d "})), some("d"));
        assert_eq!(pick(&[], json!({"clientSlug": ""})), Some(None));
        assert_eq!(pick(&[], json!({"other": 1})), Some(None));
        for bad in [
            json!({"slug": 1}),
            json!({"clientSlug": null}),
            json!([]),
            json!("a"),
        ] {
            assert_eq!(pick(&[("clientSlug", "a")], bad.clone()), None, "{bad}");
        }
        assert_eq!(members(b" "), Some(Map::new()));
        assert_eq!(members(b"{"), None);
    }
}
