use std::sync::atomic::{AtomicBool, Ordering};

use api_types::{
    List,
    audiences::ClearedJson,
    notifications::NotificationJson,
    operations::{OperationJson, RemovalReportJson},
    recycle::{DryRunJson, RecycleBody, RulesBody, TargetBody},
};
use serde_json::json;

use super::{client::Service, lists::audience, uploads::upload};
use crate::blocking::until;

fn documents(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| format!("P{n:06}")).collect()
}

fn by_documents(numbers: std::ops::Range<u32>) -> RecycleBody {
    RecycleBody::from(RulesBody {
        documents: documents(numbers),
        ..RulesBody::default()
    })
}

fn recycle(service: &Service, audience: &str, body: &RecycleBody) -> OperationJson {
    let path = format!("/api/v1/audiences/{audience}/recycle");
    let ended = service.ended(&service.json("POST", &path, body));
    assert_eq!(ended.state, "succeeded", "{ended:?}");
    ended
}

fn notified(service: &Service, operation: &str) -> usize {
    let told: List<NotificationJson> = service.get("/api/v1/notifications?limit=1000");
    let told = told.data.iter();
    told.filter(|told| told.operation_id == operation).count()
}

/// Before or after, never in between; told once; undone at once.
pub fn recycled_and_undone(service: &Service) {
    let id = audience(service, "Recycled", 0..2_000);
    let list = format!("document\n{}\n", documents(0..700).join("\n"));
    let mut body = RecycleBody::from(RulesBody {
        upload_id: Some(upload(service, &list)),
        ..RulesBody::default()
    });
    body.dry_run = true;
    let path = format!("/api/v1/audiences/{id}/recycle");
    let dry: DryRunJson = service.json("POST", &path, &body).read(200);
    assert_eq!(
        [dry.total, dry.removed, dry.kept],
        [2_000, 700, 1_300],
        "{dry:?}"
    );
    (body.dry_run, body.plan) = (false, Some(dry.plan));
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let seen = service.count(&id);
                assert!([2_000, 1_300].contains(&seen), "saw {seen}");
                let seen = service.walk(&id).len();
                assert!([2_000, 1_300].contains(&seen), "walked {seen}");
            }
        });
        let ended = recycle(service, &id, &body);
        stop.store(true, Ordering::Relaxed);
        ended
    });
    let report: RemovalReportJson = ended.report_as().unwrap();
    assert_eq!(report.removed, 700, "{ended:?}");
    assert_eq!(service.walk(&id), documents(700..2_000));
    let operation = ended.id;
    until("a notification", || {
        (notified(service, &operation) > 0).then_some(())
    });
    let undo = format!("/api/v1/operations/{operation}/undo");
    for _ in 0..2 {
        service.json("POST", &undo, &json!({})).ok(200);
        assert_eq!(service.count(&id), 2_000);
    }
    assert_eq!(service.walk(&id).len(), 2_000);
    assert_eq!(notified(service, &operation), 1);
}

/// A round of its own, under the next name.
pub fn into_a_new_round(service: &Service) {
    let id = audience(service, "Rounds", 0..400);
    let mut body = by_documents(0..100);
    body.target = Some(TargetBody {
        kind: "new".to_owned(),
        name: None,
    });
    let ended = recycle(service, &id, &body);
    let copy = service.audience(&ended.target_audience_id.unwrap());
    assert_eq!(copy.name, "Rounds REC 2");
    assert_eq!(service.walk(&copy.id), documents(100..400));
    assert_eq!(service.count(&id), 400);
}

/// Emptied at once, and back again.
pub fn cleared_and_brought_back(service: &Service) {
    let id = audience(service, "Cleared", 0..300);
    let path = format!("/api/v1/audiences/{id}/clear");
    let cleared: ClearedJson = service.json("POST", &path, &json!({})).read(200);
    assert_eq!(service.count(&id), 0);
    let undo = format!("/api/v1/operations/{}/undo", cleared.operation_id);
    service.json("POST", &undo, &json!({})).ok(200);
    assert_eq!(service.walk(&id).len(), 300);
}

/// Who listens on one replica hears of what another one did.
pub fn told_on_a_stream(service: &Service) {
    let id = audience(service, "Streamed", 0..50);
    let stream = |_| service.notifications();
    let mut streams: Vec<_> = (0..service.replicas()).map(stream).collect();
    let ended = recycle(service, &id, &by_documents(0..10));
    for next in &mut streams {
        while next().is_none_or(|told| told.operation_id != ended.id) {}
    }
}
