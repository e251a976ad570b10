//! Commands on the real thing, and what is seen of it.

use std::{collections::BTreeMap, sync::Arc};

use audience_service::{
    AppError, AppResult, RequestId, UseCases,
    contact::{
        read::Lookup,
        write::{ContactItems, ContactsAdded},
    },
    control::{Pool, WorkOutcome},
    creation::CreationRequest,
    recycle::{RecycleAnswer, RecycleRequest, SetSource},
    upload::{Received, UploadInto},
};
use domain::{
    audience::{AudienceStatus, Source, Tags},
    contact::Document,
    operation::ReasonCounts,
    recycle::{
        DuplicateKeep, DuplicateKey, Duplicates, Outcome, OutcomeFact, OutcomeRecord, Rules,
    },
    segment::{Notation, Predicate},
    shared::{AudienceId, AudienceName, OperationId},
};
use ports::contacts::ContactRecord;
use serde_json::{Value, json};

use super::{
    command::{Item, RuleSpec},
    system::actor,
    world::{Classes, Doc, Report, Values},
};

/// What a command answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    Refused(String),
    Added(Classes),
    Verdict(Report),
    Worked(bool),
    Page {
        rows: Vec<(Doc, Values)>,
        more: bool,
    },
    Member(Values),
    /// By which operation of the workspace, where one did it.
    Removed(Option<usize>),
    Unknown,
}

/// None, three that are valid, and two that are none, which nobody has in common.
const PHONES: [&str; 6] = [
    "",
    "+5511987650001",
    "+5511987650002",
    "+5511987650003",
    "nao informado",
    "0",
];

pub fn document(doc: Doc) -> Document {
    Document::parse(&format!("D{doc}")).unwrap()
}

pub fn contact(stored: &ContactRecord) -> (Doc, Values) {
    let doc = stored.document.as_str()[1..].parse().unwrap();
    let name = stored.body.name.as_deref().unwrap()[1..].parse().unwrap();
    let phone = stored.body.phone.as_deref().unwrap_or_default();
    let phone = PHONES.iter().position(|p| *p == phone).unwrap();
    (
        doc,
        Values {
            name,
            phone: phone as u8,
        },
    )
}

fn json_of(item: &Item) -> Value {
    match item.good() {
        Some((doc, v)) => json!({
            "document": format!("D{doc}"),
            "name": format!("n{}", v.name),
            "phone": PHONES[usize::from(v.phone)],
        }),
        None => json!({ "name": "nobody" }),
    }
}

fn contacts(items: &[Item]) -> ContactItems {
    let items = items.iter().map(json_of).collect();
    ContactItems {
        items,
        strict: false,
        require_valid_document: false,
    }
}

fn refused<T>(result: AppResult<T>, answer: impl FnOnce(T) -> Answer) -> Answer {
    match result {
        Ok(done) => answer(done),
        Err(AppError::Conflict { code, .. }) => Answer::Refused(code.to_owned()),
        Err(AppError::NotFound) => Answer::Refused("not_found".to_owned()),
        Err(AppError::Invalid(violations)) => Answer::Refused(
            violations
                .first()
                .map_or_else(String::new, |v| v.code.to_string()),
        ),
        Err(other) => panic!("{other:?}"),
    }
}

fn added(added: ContactsAdded) -> Answer {
    let c = added.counts;
    let rejected = added.rejected.len() as i64;
    Answer::Added((c.inserted, c.updated, c.unchanged, rejected))
}

pub async fn create(
    app: Arc<UseCases>,
    request_id: RequestId,
    ws: usize,
    items: Vec<Item>,
) -> Answer {
    let command = CreationRequest {
        name: name(request_id),
        icon: None,
        tags: Tags::default(),
        status: AudienceStatus::Active,
        definition: Default::default(),
        source: Source::Api,
        contacts: contacts(&items),
    };
    refused(
        app.create.execute(&actor(ws), request_id, command).await,
        added,
    )
}

pub fn name(request_id: RequestId) -> AudienceName {
    AudienceName::parse(&format!("Audience {}", request_id.write_id)).unwrap()
}

pub async fn add(
    app: Arc<UseCases>,
    request_id: RequestId,
    ws: usize,
    id: AudienceId,
    items: Vec<Item>,
) -> Answer {
    let result = app
        .contacts
        .add
        .execute(&actor(ws), request_id, id, None, contacts(&items))
        .await;
    refused(result, added)
}

/// Receives a file and asks for its contacts.
pub async fn upload(
    app: Arc<UseCases>,
    request_id: RequestId,
    ws: usize,
    into: Option<AudienceId>,
    rows: Vec<Item>,
) -> Answer {
    let mut text = String::new();
    for row in &rows {
        text.push_str(&json_of(row).to_string());
        text.push('\n');
    }
    let chunk: Result<_, std::io::Error> = Ok(text.into_bytes());
    let received = Received {
        chunks: futures::stream::iter([chunk]),
        file_name: Some("rows.ndjson".to_owned()),
        content_type: None,
        length: None,
        options: Default::default(),
    };
    let unkeyed = RequestId {
        write_id: app.ids.next(),
        keyed: false,
    };
    let stored = app
        .uploads
        .receive
        .execute(&actor(ws), unkeyed, received)
        .await
        .unwrap();
    let file = UploadInto {
        upload: stored.upload.id,
        mapping: None,
        require_valid_document: false,
    };
    let accepted = match into {
        Some(id) => {
            app.uploads
                .bring_in
                .into_existing(&actor(ws), request_id, id, file)
                .await
        }
        None => {
            let (tags, status) = (Tags::default(), AudienceStatus::Active);
            app.uploads
                .bring_in
                .into_new(&actor(ws), request_id, name(request_id), tags, status, file)
                .await
        }
    };
    refused(accepted, |_| Answer::Done)
}

/// A recycling; `others` are the audiences its rules name: to remove, and to keep.
#[expect(clippy::too_many_arguments, reason = "the members of one command")]
pub async fn recycle(
    app: Arc<UseCases>,
    request_id: RequestId,
    ws: usize,
    id: AudienceId,
    rules: RuleSpec,
    others: [Option<AudienceId>; 2],
    to_new: bool,
    dry_run: bool,
) -> Answer {
    let filter = rules.named.map(|n| {
        let condition = json!({ "kind": "property", "field": "name", "operator": "equals", "value": format!("n{n}") });
        Predicate::parse(&json!([{ "conditions": [condition] }]), "/where", Notation::default()).unwrap()
    });
    let keep = |latest| {
        if latest {
            DuplicateKeep::Latest
        } else {
            DuplicateKeep::Earliest
        }
    };
    let duplicates = |latest| Duplicates {
        by: vec![DuplicateKey::Phone],
        keep: keep(latest),
    };
    let request = || RecycleRequest {
        rules: Rules {
            audiences: others[0].iter().map(|a| a.raw()).collect(),
            filter: filter.clone(),
            opted_out: rules.opted_out,
            duplicates: rules.duplicates.map(duplicates),
            ..Rules::default()
        },
        documents: SetSource {
            documents: rules.documents.iter().map(|d| document(*d)).collect(),
            upload: None,
        },
        keep_audiences: others[1].into_iter().collect(),
        keep_documents: rules.keep.iter().map(|d| document(*d)).collect(),
        new_audience: to_new.then(|| Some(name(request_id))),
        dry_run,
        plan: None,
        plan_tolerance: 0,
    };
    let answered = app
        .recycle
        .execute(&actor(ws), request_id, id, request())
        .await;
    let dry = match answered {
        Ok(RecycleAnswer::DryRun(dry)) => dry,
        other => return refused(other, |_| Answer::Done),
    };
    let carried = RecycleRequest {
        dry_run: false,
        plan: Some(dry.plan.clone()),
        ..request()
    };
    let real = app
        .recycle
        .execute(&actor(ws), request_id, id, carried)
        .await;
    refused(real, |_| {
        Answer::Verdict(Report::Removal {
            total: dry.total,
            removed: dry.removed,
            by_reason: reasons(&dry.by_reason),
            withheld: 0,
        })
    })
}

pub async fn opt_out(app: Arc<UseCases>, ws: usize, docs: Vec<Doc>) -> Answer {
    let now = app.clock.now();
    let record = |doc: &Doc| OutcomeRecord {
        document: document(*doc),
        fact: OutcomeFact {
            channel: "voice".to_owned(),
            outcome: Outcome::OptedOut,
            occurred_at: now,
        },
        external_id: None,
        recorded_at: now,
    };
    let records = docs.iter().map(record).collect();
    let unkeyed = RequestId {
        write_id: app.ids.next(),
        keyed: false,
    };
    refused(
        app.outcomes.record(&actor(ws), unkeyed, records).await,
        |_| Answer::Done,
    )
}

pub async fn remove_one(app: Arc<UseCases>, ws: usize, id: AudienceId, doc: Doc) -> Answer {
    plain(app.contacts.remove.execute(&actor(ws), id, &document(doc))).await
}

pub async fn plain<T>(result: impl Future<Output = AppResult<T>>) -> Answer {
    refused(result.await, |_| Answer::Done)
}

pub fn page(rows: &[ContactRecord], more: bool) -> Answer {
    Answer::Page {
        rows: rows.iter().map(contact).collect(),
        more,
    }
}

/// Every page of an audience, one after the other.
pub async fn pages(app: Arc<UseCases>, ws: usize, id: AudienceId, per_page: usize) -> Answer {
    let mut rows = Vec::new();
    for number in 1.. {
        let page = app
            .contacts
            .read
            .page(&actor(ws), id, number, per_page)
            .await
            .unwrap();
        rows.extend(page.rows.iter().map(contact));
        if page.rows.len() < per_page {
            assert_eq!(page.total, rows.len() as u64, "total of the pages");
            break;
        }
    }
    Answer::Page { rows, more: false }
}

pub async fn look_up(
    app: Arc<UseCases>,
    ws: usize,
    id: AudienceId,
    doc: Doc,
    ops: Vec<OperationId>,
) -> Answer {
    match app
        .contacts
        .read
        .lookup(&actor(ws), id, &document(doc))
        .await
        .unwrap()
    {
        Lookup::Member(stored) => Answer::Member(contact(&stored).1),
        Lookup::Removed(by) => Answer::Removed(
            by.operation
                .and_then(|id| ops.iter().position(|o| *o == id)),
        ),
        Lookup::Unknown => Answer::Unknown,
    }
}

pub fn reasons(counts: &ReasonCounts) -> BTreeMap<String, i64> {
    counts
        .iter()
        .map(|(reason, count)| (reason.as_str().to_owned(), *count))
        .collect()
}

pub async fn work(app: Arc<UseCases>, pool: usize) -> Answer {
    let worked = app.operations.work_once(Pool::ALL[pool]).await.unwrap();
    Answer::Worked(worked == WorkOutcome::Worked)
}
