use api_types::{
    audiences::NewAudience,
    contacts::{NewContacts, WrittenJson},
    operations::{OperationJson, UploadReportJson},
    uploads::{FileInto, UploadJson},
};

use super::{
    client::Service,
    lists::{audience, items},
};
use crate::blocking::wait;

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
    let sent = wait(service.call("POST", path).body("text/csv", content).send());
    let upload: UploadJson = sent.read(201);
    upload.id
}

/// The report of an ended operation, which balances.
fn balanced(ended: &OperationJson) -> UploadReportJson {
    let report: UploadReportJson = ended.report_as().unwrap();
    let parts = report.created + report.updated + report.unchanged + report.rejected;
    assert_eq!(report.received, parts, "{report:?}");
    report
}

/// A file becomes an audience, visible when it is complete, with a report that balances.
pub fn into_a_new_audience(service: &Service) {
    let body = NewAudience {
        name: "From a file".to_owned(),
        upload_id: Some(upload(service, &file(0..3_000))),
        ..NewAudience::default()
    };
    let ended = service.ended(&service.json("POST", "/api/v1/audiences", &body));
    assert_eq!(
        (ended.state.as_ref(), ended.result.as_deref()),
        ("succeeded", Some("partial")),
        "{ended:?}"
    );
    assert_eq!(balanced(&ended).created, 2_970, "{ended:?}");
    let id = ended.audience_id.unwrap();
    assert_eq!(service.count(&id), 2_970);
    assert_eq!(service.walk(&id).len(), 2_970);
    let operation = ended.id;
    let rejected = service.send("GET", &format!("/api/v1/operations/{operation}/rejected"));
    assert_eq!(rejected.status, 200);
    assert_eq!(rejected.text.lines().count(), 31);
    let export = service.send("GET", &format!("/api/v1/audiences/{id}/contacts.csv"));
    assert_eq!(export.status, 200);
}

/// Into an existing audience, while requests write there too.
pub fn into_an_existing_audience(service: &Service) {
    let id = audience(service, "Filled further", 0..500);
    let body = FileInto {
        upload_id: upload(service, &file(0..2_000)),
        ..FileInto::default()
    };
    let path = format!("/api/v1/audiences/{id}/uploads");
    let accepted = service.json("POST", &path, &body);
    let path = format!("/api/v1/audiences/{id}/contacts");
    let more = NewContacts {
        data: items(5_000..5_100),
        ..NewContacts::default()
    };
    let written: WrittenJson = service.json("POST", &path, &more).read(200);
    assert_eq!(written.inserted, 100);
    let ended = service.ended(&accepted);
    assert_eq!(balanced(&ended).updated, 495, "{ended:?}");
    // 2,000 rows less 20 without a document, 500 people of whom 5 are in no row, and 100 more.
    assert_eq!(service.count(&id), 1_980 + 5 + 100);
    assert_eq!(service.walk(&id).len(), 2_085);
}
