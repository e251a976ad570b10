//! The contacts of an audience as CSV that can be uploaded again.

use actix_web::{HttpResponse, http::header, web::Bytes};
use domain::shared::AudienceId;
use futures::{Stream, stream};
use http_kit::{Id, Problem};
use ports::{contacts::ContactRecord, files::push_csv_row};

use super::attachment;
use crate::{AppResult, contact::read::CursorPage, http::Caller};

/// Contacts read at a time.
const BATCH: usize = 1000;
const COLUMNS: [&str; 5] = ["document", "name", "phone", "email", "attributes"];

/// Downloads all contacts as CSV, as they came: uploaded again they give the same contacts. The
/// file shows the state at its beginning.
#[utoipa::path(
    get, path = "/audiences/{id}/contacts.csv", tag = "contacts", operation_id = "exportContacts",
    params(Id<AudienceId>),
    responses(
        (
            status = 200, description = "document, name, phone, email, attributes", body = String,
            content_type = "text/csv",
        ),
        (status = 404, description = "There is no such audience"),
    ),
)]
pub async fn contacts_csv(caller: Caller, Id(id): Id<AudienceId>) -> Result<HttpResponse, Problem> {
    let first = caller
        .app
        .contacts
        .read
        .walk(&caller.actor, id, None, BATCH)
        .await?;
    let name = attachment(&format!("{id}.csv"));
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(rows(caller, id, first)))
}

/// The file, a batch of contacts per chunk. An error ends the answer short of its end.
fn rows(
    caller: Caller,
    id: AudienceId,
    first: CursorPage,
) -> impl Stream<Item = AppResult<Bytes>> + 'static {
    let mut head = String::new();
    push_csv_row(&mut head, ',', COLUMNS);
    let start = Some((head, first));
    stream::try_unfold((caller, start), move |(caller, at)| async move {
        let Some((mut text, page)) = at else {
            return Ok(None);
        };
        for contact in &page.rows {
            push_contact(&mut text, contact);
        }
        let next = match page.next {
            Some(cursor) => {
                let (app, actor) = (&caller.app, &caller.actor);
                let page = app
                    .contacts
                    .read
                    .walk(actor, id, Some(cursor), BATCH)
                    .await?;
                Some((String::new(), page))
            }
            None => None,
        };
        Ok(Some((Bytes::from(text), (caller, next))))
    })
}

fn push_contact(text: &mut String, contact: &ContactRecord) {
    let ContactRecord { document, body, .. } = contact;
    let attributes = match body.attributes.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&body.attributes).unwrap_or_default(),
    };
    let cells = [
        body.raw_document(document),
        body.name.as_deref().unwrap_or_default(),
        body.raw_phone().unwrap_or_default(),
        body.raw_email().unwrap_or_default(),
        &attributes,
    ];
    push_csv_row(text, ',', cells);
}
