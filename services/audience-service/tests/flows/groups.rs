//! Customers added to lists, beside others who write the same contacts.

use audience_service::{AppError, group::CustomerName};
use domain::{
    audience::{Audience, AudienceChange, AudienceKind, Source},
    customer::CustomerId,
    shared::{AudienceId, AudienceName},
};
use ports::store::Durability;
use serde_json::json;

use crate::{
    meeting,
    rig::{Rig, contacts},
};

/// Customers 1, 2, … with the documents `1`, `2`, …
async fn register(rig: &Rig, count: usize) {
    let items = (1..=count).map(|n| json!({"document": n.to_string(), "name": "Customer"}));
    let (write, actor) = (&rig.app.customers.write, rig.actor());
    let written = write.upsert(&actor, rig.request_id(), items.collect(), true);
    written.await.unwrap();
}

fn named(ids: impl IntoIterator<Item = i64>) -> Option<Vec<CustomerName>> {
    let name = |id: i64| CustomerName {
        text: id.to_string(),
        id: CustomerId::new(id).ok(),
    };
    Some(ids.into_iter().map(name).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_takes_no_customers() {
    let rig = Rig::new().await;
    register(&rig, 1).await;
    let (actor, id) = (rig.actor(), AudienceId::from_raw(rig.ports.ids.next()));
    let owner = (actor.workspace.clone(), actor.user.clone());
    let name = AudienceName::parse("Segment").unwrap();
    let segment = Audience::new(id, owner, name, Source::Panel, rig.ports.clock.now());
    let mut data = segment.into_data();
    data.kind = AudienceKind::Dynamic;
    let mut segment = Audience::from_stored(data);
    let mut uow = rig.ports.store.begin(Durability::Full).await.unwrap();
    uow.audiences().add(&mut segment).await.unwrap();
    uow.commit().await.unwrap();
    let edit = &rig.app.edit_list;
    let change = AudienceChange {
        name: Some(AudienceName::parse("Other name").unwrap()),
        ..AudienceChange::default()
    };
    let refused = edit.execute(&actor, segment.number, change.clone(), named([1]));
    let Err(AppError::Conflict { code, detail, .. }) = refused.await else {
        panic!("not refused")
    };
    let said = "The list is a segment; its members follow its conditions.";
    assert_eq!((code, detail.as_str()), ("audience_dynamic", said));
    let kept = rig.app.find.visible(&actor, id).await.unwrap();
    assert_eq!(kept.name.as_str(), "Segment");
    let renamed = edit.execute(&actor, segment.number, change, None).await;
    assert_eq!(renamed.unwrap().name.as_str(), "Other name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_written_first_stays() {
    let rig = Rig::new().await;
    register(&rig, 3).await;
    let (actor, id) = (rig.actor(), rig.create("Base", &[]).await);
    // Written after the change has looked whether anybody is absent, and before it writes.
    let (app, actor_too, request_id) = (rig.app.clone(), actor.clone(), rig.request_id());
    let add = async move {
        let add = &app.contacts.add;
        add.execute(&actor_too, request_id, id, None, contacts(&["2"]))
            .await
    };
    let written = meeting::until_first("write.intent_committed", add);
    written.reached();
    let (app, actor_too) = (rig.app.clone(), actor.clone());
    let edit = tokio::spawn(async move {
        let none = AudienceChange::default();
        app.edit_list
            .execute(&actor_too, 1, none, named([1, 2, 3]))
            .await
    });
    written.finish().await.unwrap();
    assert_eq!(edit.await.unwrap().unwrap().contacts, 3);
    let page = rig
        .app
        .contacts
        .read
        .walk(&actor, id, None, 10)
        .await
        .unwrap();
    let names: Vec<_> = page
        .rows
        .iter()
        .map(|c| c.body.name.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["Customer", "N", "Customer"]);
    assert_eq!(rig.members(id).await, ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_added_in_parts_and_come_back_after_a_removal() {
    let rig = Rig::new().await;
    register(&rig, 10_000).await;
    let (actor, id) = (rig.actor(), rig.create("Base", &["7", "x"]).await);
    let edit = |ids: std::ops::RangeInclusive<i64>| {
        let none = AudienceChange::default();
        rig.app.edit_list.execute(&actor, 1, none, named(ids))
    };
    assert_eq!(edit(1..=10_000).await.unwrap().contacts, 10_001);
    assert_eq!(edit(1..=10_000).await.unwrap().contacts, 10_001);
    let operation = rig.recycle(id, &["7", "8"], false).await;
    assert_eq!(edit(8..=9).await.unwrap().contacts, 10_000);
    let undone = rig.app.operations.undo.execute(&actor, operation).await;
    undone.unwrap();
    let now = rig.app.find.visible(&actor, id).await.unwrap();
    assert_eq!(now.contacts, 10_001);
}
