//! Answers beside the OpenAPI document.

use serde_json::Value;

/// Asserts that the document declares an answer: its status and its content type, where the path and method
/// are those of an operation. HEAD is answered as GET is.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn assert_declared(
    document: &Value,
    method: &str,
    path: &str,
    status: u16,
    content_type: &str,
) {
    let path = path.split('?').next().unwrap_or_default();
    let method = match method {
        "HEAD" => "get".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    let Some((pattern, item)) = described(document, path) else {
        return;
    };
    let Some(operation) = item.get(&method) else {
        return;
    };
    let answer = operation.pointer(&format!("/responses/{status}"));
    let Some(answer) = answer else {
        panic!("{method} {pattern} does not declare {status}");
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let declared = answer.get("content").and_then(Value::as_object);
    let fits = match declared {
        Some(declared) => essence.is_empty() || declared.contains_key(essence),
        None => essence.is_empty(),
    };
    assert!(
        fits,
        "{method} {pattern} does not declare {status} as {essence}"
    );
}

/// The path item that describes a path; the one with the fewest parameters where several do.
fn described<'a>(document: &'a Value, path: &str) -> Option<(&'a str, &'a Value)> {
    let items = document.get("paths")?.as_object()?;
    let fitting = items.iter().filter(|(pattern, _)| fits(pattern, path));
    fitting
        .min_by_key(|(pattern, _)| pattern.matches('{').count())
        .map(|(pattern, item)| (pattern.as_str(), item))
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if pattern.starts_with('{') && pattern.ends_with('}') => {
                if part.is_empty() {
                    return false;
                }
            }
            (Some(pattern), Some(part)) if pattern == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_declared_passes_and_nothing_else() {
        let problem = json!({"application/problem+json": {}});
        let document = json!({"paths": {
            "/lists": {"get": {"responses": {"200": {"content": {"application/json": {}}}}}},
            "/lists/{id}": {"delete": {"responses": {"204": {}, "404": {"content": problem}}}},
            "/lists/tags": {"get": {"responses": {"204": {}}}},
        }});
        let check = |method, path, status, content_type| {
            std::panic::catch_unwind(|| {
                assert_declared(&document, method, path, status, content_type);
            })
            .is_ok()
        };
        assert!(check(
            "GET",
            "/lists?limit=1",
            200,
            "application/json; charset=utf-8"
        ));
        assert!(check("HEAD", "/lists", 200, "application/json"));
        assert!(check("DELETE", "/lists/1", 404, "application/problem+json"));
        assert!(check("GET", "/lists/tags", 204, ""));
        assert!(check("PUT", "/lists", 405, "application/problem+json"));
        assert!(check("GET", "/elsewhere", 404, "application/problem+json"));
        assert!(!check("GET", "/lists", 400, "application/json"));
        assert!(!check("DELETE", "/lists/1", 404, "application/json"));
        assert!(!check("GET", "/lists/tags", 204, "text/plain"));
    }
}
