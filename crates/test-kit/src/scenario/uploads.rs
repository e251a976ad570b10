use serde_json::{Value, json};

use super::{client::Service, lists::audience};
use crate::{blocking::wait, http::text};

/// A file of these people; every hundredth row has no document.
fn file(numbers: std::ops::Range<u32>) -> String {
    let mut out = "documento;nome;telefone\n".to_owned();
    for n in numbers {
        if n % 100 == 99 {
            out.push_str(";sem documento;\n");
        } else {
            out.push_str(&format!("P{n:06};Pessoa {n};119{:08}\n", 60_000_000 + n));
        }
    }
    out
}

/// Sends a file; answers its id.
pub fn upload(service: &Service, content: &str) -> String {
    let path = "/api/v1/uploads?file_name=people.csv";
    wait(service.call("POST", path).body("text/csv", content).send()).member("id")
}

fn balanced(report: &Value) {
    let of = |name: &str| report[name].as_u64().unwrap();
    let parts = of("created") + of("updated") + of("unchanged") + of("rejected");
    assert_eq!(of("received"), parts, "{report}");
}

/// A file becomes an audience, visible when it is complete, with a report that balances.
pub fn into_a_new_audience(service: &Service) {
    let body = json!({ "name": "From a file", "upload_id": upload(service, &file(0..3_000)) });
    let accepted = service.json("POST", "/api/v1/audiences", &body).ok(202);
    let ended = service.ended(&accepted);
    assert_eq!(
        [&ended["state"], &ended["result"]],
        ["succeeded", "partial"],
        "{ended}"
    );
    balanced(&ended["report"]);
    assert_eq!(ended["report"]["created"], 2_970, "{ended}");
    let id = text(&ended, "audience_id");
    assert_eq!(service.count(&id), 2_970);
    assert_eq!(service.walk(&id).len(), 2_970);
    let operation = text(&ended, "id");
    let rejected = service.send("GET", &format!("/api/v1/operations/{operation}/rejected"));
    assert_eq!(rejected.status, 200);
    assert_eq!(rejected.text.lines().count(), 31);
    let export = service.send("GET", &format!("/api/v1/audiences/{id}/contacts.csv"));
    assert_eq!(export.status, 200);
}

/// Into an existing audience, while requests write there too.
pub fn into_an_existing_audience(service: &Service) {
    let id = audience(service, "Filled further", 0..500);
    let body = json!({ "upload_id": upload(service, &file(0..2_000)) });
    let path = format!("/api/v1/audiences/{id}/uploads");
    let accepted = service.json("POST", &path, &body).ok(202);
    let path = format!("/api/v1/audiences/{id}/contacts");
    let more = json!({ "data": super::lists::items(5_000..5_100) });
    assert_eq!(service.json("POST", &path, &more).ok(200)["inserted"], 100);
    let ended = service.ended(&accepted);
    balanced(&ended["report"]);
    assert_eq!(ended["report"]["updated"], 495, "{ended}");
    // 2,000 rows less 20 without a document, 500 people of whom 5 are in no row, and 100 more.
    assert_eq!(service.count(&id), 1_980 + 5 + 100);
    assert_eq!(service.walk(&id).len(), 2_085);
}
