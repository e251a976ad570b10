//! The commands of face L that change something.

use actix_web::http::StatusCode;
use domain::{
    audience::{AudienceStatus, Definition, Source, Tags},
    shared::{AudienceId, AudienceName},
};
use http_kit::{Answer, ApiResult, Idempotent, JsonBody, OptionalBody, Problem, Query};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::{
    answer::{Changed, Written},
    body::{Command, audience_id, broken, decimal_id},
    refused,
};
use crate::{
    AppError,
    contact::write::ContactItems,
    creation::CreationRequest,
    http::{Caller, state::at_most},
};

/// A body whose broken rules this face answers with 400.
type Sent = JsonBody<Command, 400>;
type MaybeSent = OptionalBody<Command, 400>;

/// Creates a list with its first contacts. Bad ones are told, the others written.
#[utoipa::path(
    post, path = "/create", tag = "lists", operation_id = "createList", request_body = Command,
    responses(
        (status = 201, description = "Created", body = Written),
        (status = 400, description = "A rule is broken"),
        (status = 409, description = "`name_taken`"),
        (status = 413, description = "More than 64 MiB or 100,000 items"),
        (status = 422, description = "`strict`, and a contact is bad"),
    ),
)]
pub async fn create(
    caller: Caller,
    Idempotent(once, JsonBody(sent)): Idempotent<Sent>,
) -> ApiResult {
    let (mut command, base) = sent.open();
    let name = name(command.name.take(), base)?;
    let (contacts, refusal) = contacts(&caller, command, base)?;
    once.run(move |request_id| async move {
        let create = CreationRequest {
            name,
            tags: Tags::default(),
            icon: None,
            status: AudienceStatus::Active,
            definition: Definition::default(),
            source: Source::Api,
            contacts,
        };
        let created = caller.app.create.execute(&caller.actor, request_id, create);
        let created = created.await.map_err(|e| refusal.problem(e))?;
        Ok(Answer::json(StatusCode::CREATED, &Written::from(created)))
    })
    .await
}

/// Writes contacts; the last one written for a document counts.
#[utoipa::path(
    post, path = "/insert", tag = "lists", operation_id = "insertIntoList", request_body = Command,
    responses(
        (status = 200, description = "What became of them", body = Written),
        (status = 400, description = "A rule is broken"),
        (status = 403, description = "`audience_not_api_managed`"),
        (status = 404, description = "There is none"),
        (status = 409, description = "`audience_deleted`"),
        (status = 413, description = "More than 64 MiB or 100,000 items"),
        (status = 422, description = "`strict`, and a contact is bad"),
    ),
)]
pub async fn insert(
    caller: Caller,
    Idempotent(once, JsonBody(sent)): Idempotent<Sent>,
) -> ApiResult {
    let (command, base) = sent.open();
    let id = audience_id(command.snowflake_id.as_ref(), base)?;
    let (contacts, refusal) = contacts(&caller, command, base)?;
    once.run(move |request_id| async move {
        let only = Some(Source::Api);
        let added = caller
            .app
            .contacts
            .add
            .execute(&caller.actor, request_id, id, only, contacts);
        let added = added.await.map_err(|e| refusal.problem(e))?;
        Ok(Answer::ok(&Written::from(added)))
    })
    .await
}

/// Empties a list at once, whatever its size; `operation_id` can be undone.
#[utoipa::path(
    delete, path = "/delete", tag = "lists", operation_id = "emptyList",
    request_body = Option<Command>,
    params(ById),
    responses(
        (status = 200, description = "The list", body = Changed),
        (status = 400, description = "A rule is broken"),
        (status = 403, description = "`audience_not_api_managed`"),
        (status = 404, description = "There is none"),
        (status = 409, description = "`audience_deleted`"),
    ),
)]
pub async fn delete(
    caller: Caller,
    Query(named): Query<ById>,
    OptionalBody(sent): MaybeSent,
) -> ApiResult {
    let id = target(&named, sent)?;
    let change = |caller: Caller| async move {
        let request_id = caller.request_id();
        let cleared = caller
            .app
            .clear
            .execute(&caller.actor, request_id, id, Some(Source::Api));
        let cleared = cleared.await.map_err(refused)?;
        let changed = Changed::new(&cleared.audience, Some(cleared.operation));
        Ok(Answer::ok(&changed))
    };
    caller.change(change).await
}

/// Deletes a list; it can be restored. Again: no change.
#[utoipa::path(
    delete, path = "/drop", tag = "lists", operation_id = "dropList",
    request_body = Option<Command>,
    params(ById),
    responses(
        (status = 200, description = "The list", body = Changed),
        (status = 400, description = "A rule is broken"),
        (status = 403, description = "`audience_not_api_managed`"),
        (status = 404, description = "There is none"),
        (status = 409, description = "`audience_in_use`, with `used_by`: kind, id and name of each"),
    ),
)]
pub async fn drop_list(
    caller: Caller,
    Query(named): Query<ById>,
    OptionalBody(sent): MaybeSent,
) -> ApiResult {
    let id = target(&named, sent)?;
    let change = |caller: Caller| async move {
        let dropped = caller
            .app
            .change
            .drop(&caller.actor, id, None, Some(Source::Api));
        let dropped = dropped.await.map_err(refused)?;
        Ok(Answer::ok(&Changed::new(&dropped, None)))
    };
    caller.change(change).await
}

/// Brings a deleted list back. Again: no change.
#[utoipa::path(
    post, path = "/restore", tag = "lists", operation_id = "restoreList",
    request_body = Option<Command>,
    params(ById),
    responses(
        (status = 200, description = "The list", body = Changed),
        (status = 400, description = "A rule is broken"),
        (status = 403, description = "`audience_not_api_managed`"),
        (status = 404, description = "There is none"),
        (status = 409, description = "`name_taken`"),
    ),
)]
pub async fn restore(
    caller: Caller,
    Query(named): Query<ById>,
    Idempotent(once, OptionalBody(sent)): Idempotent<MaybeSent>,
) -> ApiResult {
    let id = target(&named, sent)?;
    once.run(move |_| async move {
        let restored = caller
            .app
            .change
            .restore(&caller.actor, id, Some(Source::Api));
        let restored = restored.await.map_err(refused)?;
        Ok(Answer::ok(&Changed::new(&restored, None)))
    })
    .await
}

/// The id in the query string, for gateways that drop a DELETE's body.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ById {
    /// The list, as in the body.
    snowflake_id: Option<String>,
}

/// The audience that a command names, in its body or its query.
fn target(query: &ById, sent: Command) -> Result<AudienceId, Problem> {
    let (command, base) = sent.open();
    let named = query.snowflake_id.as_deref();
    let pointer = "/snowflake_id";
    let id = match (command.snowflake_id, named) {
        (None, Some(text)) => decimal_id(text).ok_or_else(|| {
            let detail = "snowflake_id must be a decimal id";
            broken(pointer, "invalid_id", detail)
        })?,
        (value, _) => audience_id(value.as_ref(), base)?,
    };
    if named.is_some_and(|text| decimal_id(text) != Some(id)) {
        let detail = "the query names another audience than the body";
        return Err(broken(pointer, "contradiction", detail));
    }
    Ok(id)
}

fn name(value: Option<Value>, base: &str) -> Result<AudienceName, Problem> {
    let pointer = format!("{base}/name");
    match value {
        Some(Value::String(text)) => {
            AudienceName::parse(&text).map_err(|e| refused(AppError::name(&pointer, e)))
        }
        None | Some(Value::Null) => Err(broken(pointer, "required", "name is missing")),
        Some(_) => Err(broken(pointer, "invalid_type", "name must be a string")),
    }
}

/// The contacts of a command, and how writing them is refused.
fn contacts(
    caller: &Caller,
    command: Command,
    base: &'static str,
) -> Result<(ContactItems, Refusal), Problem> {
    let Some(items) = command.data else {
        let pointer = format!("{base}/data");
        return Err(broken(pointer, "required", "data is missing"));
    };
    at_most(caller.item_limit, &items)?;
    let strict = command.strict;
    let contacts = ContactItems {
        items,
        strict,
        require_valid_document: command.require_valid_document,
    };
    Ok((contacts, Refusal { strict, base }))
}

/// How a write of contacts is refused.
struct Refusal {
    /// One bad item refuses the whole request, with 422.
    strict: bool,
    /// Where in the body the command was.
    base: &'static str,
}

impl Refusal {
    fn problem(&self, mut error: AppError) -> Problem {
        if let AppError::Invalid(violations) = &mut error {
            for violation in violations {
                violation.pointer.insert_str(0, self.base);
            }
        }
        let invalid = match self.strict {
            true => StatusCode::UNPROCESSABLE_ENTITY,
            false => StatusCode::BAD_REQUEST,
        };
        Problem::of(error, invalid)
    }
}
