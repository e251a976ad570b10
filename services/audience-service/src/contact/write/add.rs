//! Adding contacts to an audience, item by item accounted for.

use std::sync::Arc;

use domain::{
    audience::{Audience, Source},
    contact::{Document, ItemRules, NewContact, parse_item},
    shared::{AudienceId, Rejection, Violation},
};
use ports::{
    Clock,
    contacts::{ContentKey, Priority},
    store::{AudienceQueries, AudienceStore, Durability},
};
use serde_json::Value;

use super::{
    RowClass, WriteCounts,
    pending::{MAX_ROWS, Orders, Row, WriteError, WriteRequest, WriteResult},
    writer::Writer,
};
use crate::{Actor, AppError, AppResult, RequestId, audience::FindAudience};

/// Most items of one request.
pub const MAX_ITEMS: usize = 100_000;

/// Contacts for an audience.
#[derive(Debug, Default)]
pub struct ContactItems {
    /// The items as they came.
    pub items: Vec<Value>,
    /// Write nothing unless every item is valid.
    pub strict: bool,
    /// Reject items whose check digits are wrong.
    pub require_valid_document: bool,
}

/// What became of a request's items.
#[derive(Debug)]
pub struct ContactsAdded {
    /// The audience, with its count afterwards.
    pub audience: Audience,
    /// Items received.
    pub received: usize,
    /// Valid items by what they did.
    pub counts: WriteCounts,
    /// Index, class and document of each valid item.
    pub classes: Vec<(usize, RowClass, Document)>,
    /// The other items.
    pub rejected: Vec<Rejection>,
}

/// Items split into those that can be written and those that cannot.
pub(crate) struct Parsed {
    rows: Vec<Row>,
    rejected: Vec<Rejection>,
    received: usize,
}

impl Parsed {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What became of items whose rows were written by an earlier run, which kept their classes.
    pub fn written_before(self, audience: Audience, classes: Vec<RowClass>) -> ContactsAdded {
        let rows = self.rows.into_iter().zip(classes);
        let classes = rows
            .map(|(row, class)| (row.row as usize, class, row.document))
            .collect();
        ContactsAdded::new(audience, self.received, classes, self.rejected)
    }
}

impl ContactsAdded {
    fn new(
        audience: Audience,
        received: usize,
        classes: Vec<(usize, RowClass, Document)>,
        rejected: Vec<Rejection>,
    ) -> Self {
        Self {
            audience,
            received,
            counts: classes.iter().map(|(_, class, _)| *class).collect(),
            classes,
            rejected,
        }
    }
}

/// Adds contacts to audiences, item by item accounted for.
#[derive(Clone)]
pub struct AddContacts {
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) write: WriteContacts,
}

impl AddContacts {
    /// Splits items. With `strict`, any bad one refuses all.
    pub(crate) fn parse(&self, command: ContactItems) -> AppResult<Parsed> {
        let received = command.items.len();
        let rules = ItemRules {
            require_valid_document: command.require_valid_document,
        };
        let now = self.clock.now();
        let mut rows = Vec::with_capacity(received);
        let mut rejected = Vec::new();
        for (index, item) in command.items.into_iter().enumerate() {
            match parse_item(item, &rules, now) {
                Ok(NewContact { document, body }) => {
                    let row = u32::try_from(index).unwrap_or(u32::MAX);
                    rows.push(Row {
                        row,
                        document,
                        body,
                    });
                }
                Err(error) => rejected.push(Rejection { index, error }),
            }
        }
        if command.strict && !rejected.is_empty() {
            return Err(AppError::Invalid(rejected.iter().map(violation).collect()));
        }
        Ok(Parsed {
            rows,
            rejected,
            received,
        })
    }

    /// Adds contacts. With `only_from`, refuses audiences that something else made.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Conflict` on a dropped audience, `Invalid` under `strict`; store
    /// errors.
    #[tracing::instrument(name = "contact.add", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        only_from: Option<Source>,
        command: ContactItems,
    ) -> AppResult<ContactsAdded> {
        let audience = self.find.visible(actor, id).await?;
        audience.ensure_from(only_from)?;
        audience.ensure_live()?;
        audience.ensure_list()?;
        let parsed = self.parse(command)?;
        let orders = self.orders_for(request_id).await?;
        self.write_parsed(audience, parsed, orders).await
    }

    /// The request number that an earlier run of this request took, or the next one.
    async fn orders_for(&self, request_id: RequestId) -> AppResult<Orders> {
        if !request_id.keyed {
            return Ok(Orders::Next { receipt: None });
        }
        let mut uow = self.store.begin(Durability::Derived).await?;
        let earlier = uow.receipts().get(request_id.write_id).await?;
        let request = earlier
            .as_ref()
            .and_then(|r| r.get("request"))
            .and_then(Value::as_i64);
        Ok(request.map_or(
            Orders::Next {
                receipt: Some(request_id.write_id),
            },
            Orders::Taken,
        ))
    }

    pub(crate) async fn write_parsed(
        &self,
        mut audience: Audience,
        parsed: Parsed,
        orders: Orders,
    ) -> AppResult<ContactsAdded> {
        let write = &self.write;
        let classes = write
            .in_parts(&mut audience, parsed.rows, orders, false)
            .await?;
        ports::crash::point("request.before_answer");
        Ok(ContactsAdded::new(
            audience,
            parsed.received,
            classes,
            parsed.rejected,
        ))
    }
}

/// Writes rows to the content that readers see.
#[derive(Clone)]
pub struct WriteContacts {
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) writer: Arc<Writer>,
}

impl WriteContacts {
    /// Writes the rows of one request in parts, all in its place in the order of acceptance. Answers index,
    /// class and document of each.
    pub(super) async fn in_parts(
        &self,
        audience: &mut Audience,
        mut rows: Vec<Row>,
        mut orders: Orders,
        only_absent: bool,
    ) -> AppResult<Vec<(usize, RowClass, Document)>> {
        let mut classes = Vec::with_capacity(rows.len());
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(MAX_ROWS));
            let written_rows: Vec<(usize, Document)> = rows
                .iter()
                .map(|r| (r.row as usize, r.document.clone()))
                .collect();
            let request = WriteRequest {
                workspace: audience.workspace.clone(),
                rows,
                orders,
                only_absent,
                priority: Priority::Interactive,
            };
            let written = self.current(audience, request).await?;
            orders = Orders::Taken(written.request);
            let classed = written_rows.into_iter().zip(written.classes);
            classes.extend(classed.map(|((index, document), class)| (index, class, document)));
            rows = rest;
        }
        Ok(classes)
    }

    /// Writes to the generation that readers see, also when the audience is cleared meanwhile.
    pub(crate) async fn current(
        &self,
        audience: &mut Audience,
        mut request: WriteRequest,
    ) -> AppResult<WriteResult> {
        loop {
            let key = ContentKey {
                audience: audience.id,
                epoch: audience.epoch,
            };
            match self.writer.write(key, request).await {
                Ok(written) => {
                    audience.count(written.contacts);
                    return Ok(written);
                }
                Err(WriteError::Store(error)) => return Err(error.into()),
                Err(WriteError::Gone(back)) => {
                    let queries = &self.queries;
                    let now = queries.audience(&audience.workspace, audience.id).await?;
                    let now = now.ok_or(AppError::NotFound)?;
                    if now.epoch == audience.epoch {
                        return Err(AppError::NotFound);
                    }
                    // Request numbers go on across generations: what was taken stays in order.
                    *audience = now;
                    request = back;
                }
            }
        }
    }
}

fn violation(rejection: &Rejection) -> Violation {
    let Rejection { index, error } = rejection;
    Violation::new(
        item_pointer(*index, &error.field),
        error.code,
        error.detail.clone(),
    )
}

/// The JSON Pointer to a member of an item, or to the item where the member is empty.
pub fn item_pointer(index: usize, field: &str) -> String {
    if field.is_empty() {
        return format!("/data/{index}");
    }
    let token = field.replace('~', "~0").replace('/', "~1");
    format!("/data/{index}/{token}")
}
