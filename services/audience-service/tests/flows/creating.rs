//! An audience made with contacts in the request shows with all of them, or not at all.

use std::{sync::Arc, time::Duration};

use audience_service::{Actor, AppError, RequestId, creation::CreationRequest};
use contract_tests::bus::{AUDIT, at, event};
use domain::{
    audience::{Audience, AudienceStatus, Source, Tags},
    contact::Document,
    shared::{AudienceId, AudienceName, WriteNo},
};
use messaging::DeadLetterQueue;
use ports::{
    ErrorClass,
    bus::{DeadLetters, EventId, InboxStore, OutboxEvent, Redrive},
    contacts::{ContactRecord, ContentKey, Order, Priority},
    store::{AudienceFilter, AudiencePage, Creation, Durability},
};

use crate::rig::{Rig, contacts};

fn named(name: &str, documents: &[&str]) -> CreationRequest {
    CreationRequest {
        name: AudienceName::parse(name).unwrap(),
        icon: None,
        tags: Tags::default(),
        status: AudienceStatus::Active,
        definition: Default::default(),
        source: Source::Api,
        contacts: contacts(documents),
    }
}

/// An audience as a process leaves it that ends while it creates one.
fn begun(rig: &Rig) -> Audience {
    let Actor { workspace, user } = rig.actor();
    let id = AudienceId::from_raw(rig.ports.ids.next());
    let (name, now) = (AudienceName::parse("Base").unwrap(), rig.ports.clock.now());
    Audience::new(id, (workspace, user), name, Source::Api, now).hidden()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_attempted_twice_at_once_is_written_once() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &[]).await;
    let actor = rig.actor();
    for n in 0..20 {
        let keyed = RequestId {
            keyed: true,
            ..rig.request_id()
        };
        let document = format!("d{n}");
        let add = || {
            let one = contacts(&[&document]);
            rig.app.contacts.add.execute(&actor, keyed, id, None, one)
        };
        let other =
            rig.app
                .contacts
                .add
                .execute(&actor, rig.request_id(), id, None, contacts(&["x"]));
        let (first, second, other) = tokio::join!(add(), add(), other);
        // Whatever was refused may be asked again.
        for refused in [first.err(), second.err(), other.err()]
            .into_iter()
            .flatten()
        {
            let AppError::Store(error) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(error.class(), ErrorClass::Transient, "{error:?}");
        }
        assert_eq!(add().await.unwrap().counts.inserted, 1);
    }
    let audience = rig.app.find.visible(&actor, id).await.unwrap();
    assert!((20..=21).contains(&audience.contacts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_answers_the_same_whatever_came_since() {
    let rig = Rig::new().await;
    let (app, actor) = (&rig.app, rig.actor());
    let keyed = RequestId {
        keyed: true,
        ..rig.request_id()
    };
    for documents in [&["a", "b", "a"][..], &[]] {
        let keyed = RequestId {
            write_id: keyed.write_id + documents.len() as i64,
            ..keyed
        };
        let name = format!("Base of {}", documents.len());
        let first = app.create.execute(&actor, keyed, named(&name, documents));
        let first = first.await.unwrap();
        let id = first.audience.id;
        let more = contacts(&["a", "c"]);
        app.contacts
            .add
            .execute(&actor, rig.request_id(), id, None, more)
            .await
            .unwrap();
        let again = app.create.execute(&actor, keyed, named(&name, documents));
        let again = again.await.unwrap();
        assert_eq!(again.audience, first.audience);
        assert_eq!(again.counts, first.counts);
        assert_eq!(again.classes, first.classes);
        assert_eq!(again.received, first.received);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cut_off_is_dropped_and_its_name_is_free() {
    let rig = Rig::new().await;
    let (app, actor, deps) = (&rig.app, rig.actor(), &rig.ports);
    // As a process leaves it that ends while it writes the contacts.
    let mut left = begun(&rig);
    let creation = Creation {
        workspace: actor.workspace.clone(),
        audience: left.id,
        write_id: deps.ids.next(),
    };
    let mut uow = deps.store.begin(Durability::Full).await.unwrap();
    uow.audiences().add(&mut left).await.unwrap();
    uow.creations().begin(&creation, 60).await.unwrap();
    uow.commit().await.unwrap();
    let key = ContentKey {
        audience: left.id,
        epoch: left.epoch,
    };
    let row = ContactRecord {
        document: Document::parse("a").unwrap(),
        order: Order::new(0, 0),
        body: Default::default(),
    };
    let (write, rows) = (WriteNo(deps.ids.next()), vec![row]);
    deps.contacts
        .upsert(key, &actor.workspace, write, rows, Priority::Bulk)
        .await
        .unwrap();

    assert_eq!(
        app.upkeep.abandoned.drop_all().await.unwrap(),
        0,
        "it may go on"
    );
    let taken = app
        .create
        .execute(&actor, rig.request_id(), named("Base", &["x"]));
    let taken = taken.await.unwrap_err();
    assert!(matches!(
        taken,
        AppError::Conflict {
            code: "name_taken",
            ..
        }
    ));

    app.repair_all().await.unwrap();
    let id = rig.create("Base", &["b"]).await;
    assert_eq!(rig.members(id).await, ["B"]);
    rig.work().await;
    let document = [Document::parse("a").unwrap()];
    let kept = deps.contacts.get(key, &document).await.unwrap();
    assert!(kept.is_empty(), "what it held is deleted");
    let page = AudiencePage {
        limit: 10,
        ..AudiencePage::default()
    };
    let all = AudienceFilter::default();
    let listed = deps.queries.audiences(&actor.workspace, &all, &page);
    assert_eq!(listed.await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_takes_over_from_the_run_that_was_cut_off() {
    let rig = Rig::new().await;
    let (app, actor, deps) = (&rig.app, rig.actor(), &rig.ports);
    let mut left = begun(&rig);
    let keyed = RequestId {
        keyed: true,
        ..rig.request_id()
    };
    let creation = Creation {
        workspace: actor.workspace.clone(),
        audience: left.id,
        write_id: keyed.write_id,
    };
    let mut uow = deps.store.begin(Durability::Full).await.unwrap();
    uow.audiences().add(&mut left).await.unwrap();
    uow.creations().begin(&creation, 60).await.unwrap();
    uow.commit().await.unwrap();
    let created = app
        .create
        .execute(&actor, keyed, named("Base", &["a", "b"]));
    let created = created.await.unwrap();
    assert_eq!(rig.members(created.audience.id).await, ["A", "B"]);
}

/// Dead letters are sent again one by one, and a process may end in between.
#[tokio::test]
async fn a_repeated_redrive_is_about_the_letters_of_the_first() {
    let rig = Rig::new().await;
    let actor = rig.actor();
    let bus = &rig.db;
    let bury = async |id: &str, second: i64| {
        let lease = Duration::from_secs(1);
        let event = OutboxEvent {
            workspace: actor.workspace.clone(),
            ..event(id, "a")
        };
        bus.deliver(&AUDIT, &event, at(0)).await.unwrap();
        let delivery = bus.claim(&AUDIT, 1, at(0), lease).await.unwrap().remove(0);
        let buried = bus.bury(&delivery.receipt, "poison", at(second)).await;
        buried.unwrap();
    };
    let queue = DeadLetterQueue::new(Arc::new(bus.clone()), rig.ports.clock.clone(), Vec::new());
    let letters = rig.app.dead_letters(queue);
    let keyed = RequestId {
        keyed: true,
        ..rig.request_id()
    };
    let redrive = async |by| letters.redrive(&actor, by, &Redrive::All).await.unwrap();
    bury("1", 1).await;
    bury("2", 2).await;
    assert_eq!(redrive(keyed).await, 2);
    assert_eq!(bus.count().await.unwrap(), 0);
    // Another is given up before the request is repeated.
    bury("3", 3).await;
    assert_eq!(redrive(keyed).await, 2);
    assert_eq!(bus.count().await.unwrap(), 1);
    assert_eq!(redrive(rig.request_id()).await, 1);
    assert_eq!(bus.count().await.unwrap(), 0);
    let unknown = Redrive::One(AUDIT, EventId::new("9"));
    let refused = letters.redrive(&actor, rig.request_id(), &unknown).await;
    assert!(matches!(refused, Err(AppError::NotFound)), "{refused:?}");
}
