//! Events of runs.

use domain::{
    importing::{Personal, rows::Contact},
    operation::{Operation, Report},
    shared::{Instant, OperationId},
};
use events::v1;
use kernel::EventSource;
use ports::{
    StoreError,
    importing::{ImportClient, ImportUnit},
};

const SOURCE: EventSource = EventSource::new("/plateia/import-job-service");

/// The end of a run: one per operation and attempt, because its id is derived.
pub async fn emit_finished(
    unit: &mut dyn ImportUnit,
    now: Instant,
    operation: &Operation,
    slug: &str,
) -> Result<(), StoreError> {
    use v1::operation_finished::Report as Sent;
    let report = operation.report.as_ref().and_then(|report| match report {
        Report::Import(report) => {
            let total = report.total();
            Some(Sent::Import(v1::ImportCounts {
                received: signed(total.received),
                created: signed(total.created),
                updated: signed(total.updated),
                unchanged: signed(total.unchanged),
                quarantined: signed(total.quarantined),
                client_slug: slug.to_owned(),
            }))
        }
        _ => None,
    });
    let data = v1::OperationFinished {
        operation_id: operation.id.to_string(),
        kind: operation.kind.to_string(),
        state: operation.state.to_string(),
        result: operation.result.map(|result| result.to_string()),
        audience_id: None,
        created_by: operation.created_by.to_string(),
        attempt: operation.attempt,
        finished_at: operation.finished_at.map(Into::into),
        report,
        error_code: operation.error.as_ref().map(|error| error.code.clone()),
    };
    let id = format!("{}.finished.{}", operation.id, operation.attempt);
    let version = i64::from(operation.attempt);
    let (outbox, workspace) = (unit.outbox(), &operation.workspace);
    SOURCE
        .emit(outbox, now, workspace, (id, version), data)
        .await
}

/// People who are new or have changed. Nothing where there is nobody.
pub async fn emit_customers(
    unit: &mut dyn ImportUnit,
    now: Instant,
    client: &ImportClient,
    operation: OperationId,
    people: impl Iterator<Item = &Contact> + Send,
) -> Result<(), StoreError> {
    let customers: Vec<_> = people.map(customer).collect();
    if customers.is_empty() {
        return Ok(());
    }
    let number = unit.runs().next_batch(client.id).await?;
    let client_id = client.id.to_string();
    let id = format!("{client_id}.customers.{number}");
    let data = v1::CustomersSynced {
        client_id,
        client_slug: client.slug.to_string(),
        operation_id: operation.to_string(),
        customers,
    };
    let (outbox, workspace) = (unit.outbox(), &client.workspace);
    SOURCE
        .emit(outbox, now, workspace, (id, number), data)
        .await
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn customer(contact: &Contact) -> v1::SyncedCustomer {
    let text = |personal: &Option<Personal>| {
        let text = personal.as_ref();
        text.map(|text| text.as_str().to_owned())
    };
    let tags = contact.tags.iter().map(|tag| v1::SyncedTag {
        external_id: tag.id.to_string(),
        name: tag.name.clone(),
        color: tag.color.clone(),
    });
    v1::SyncedCustomer {
        external_id: contact.id.to_string(),
        name: text(&contact.name),
        phone: text(&contact.number),
        email: text(&contact.email),
        tags: tags.collect(),
        created_at: contact.created_at.map(Into::into),
        updated_at: contact.updated_at.map(Into::into),
    }
}
