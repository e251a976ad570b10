//! The commands of this face that change something.

use domain::{
    audience::{AudienceStatus, Definition, Source, Tags},
    shared::AudienceName,
};
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    body::{Change, New, icon, name, number},
    broken,
    json::Group,
    refused,
};
use crate::{AppError, contact::write::ContactItems, creation::CreationRequest, http::Caller};

/// Creates a list.
#[utoipa::path(
    post, path = "/groups", tag = "groups", operation_id = "createGroup", request_body = New,
    responses(
        (status = 200, description = "The list", body = Group<'static>),
        (status = 409, description = "A rule is broken, or the name is in use"),
    ),
)]
pub async fn create(
    caller: Caller,
    Idempotent(once, JsonBody(sent)): Idempotent<JsonBody<New, 409>>,
) -> ApiResult {
    let name = name(&sent.name.unwrap_or_else(|| Value::String(String::new())))?;
    let create = CreationRequest {
        name: name.clone(),
        tags: Tags::default(),
        icon: sent.icon.as_ref().map(icon).transpose()?.flatten(),
        status: AudienceStatus::Active,
        definition: Definition::default(),
        source: Source::Groups,
        contacts: ContactItems::default(),
    };
    once.run(move |request_id| async move {
        let created = caller.app.create.execute(&caller.actor, request_id, create);
        let created = created.await.map_err(|error| taken(error, &name))?;
        Ok(Answer::ok(&Group::from(&created.audience)))
    })
    .await
}

/// Changes name and icon of a list, and adds customers to it: who is in it already stays as they are. What is
/// refused changes nothing.
#[utoipa::path(
    patch, path = "/groups/{id}", tag = "groups", operation_id = "changeGroup",
    request_body = Change,
    params(("id" = String, Path, description = "Number of the list")),
    responses(
        (status = 200, description = "The list", body = Group<'static>),
        (
            status = 409,
            description = "A rule is broken, the name is in use, a customer is unknown, or the list is a segment",
        ),
    ),
)]
pub async fn edit(
    caller: Caller,
    Id(id): Id<String>,
    JsonBody(sent): JsonBody<Change, 409>,
) -> ApiResult {
    let (change, customers) = sent.read()?;
    let number = number(&id).ok_or_else(|| refused(AppError::NotFound))?;
    let run = |caller: Caller| async move {
        let name = change.name.clone();
        let edit = &caller.app.edit_list;
        let edited = edit.execute(&caller.actor, number, change, customers).await;
        let edited = edited.map_err(|error| match &name {
            Some(name) => taken(error, name),
            None => refused(error),
        })?;
        Ok(Answer::ok(&Group::from(&edited)))
    };
    caller.change(run).await
}

/// What deleting a list answers.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupDeleted)]
struct Deleted {
    /// In the spelling that clients know.
    #[schema(example = "List deleted succesfully")]
    message: &'static str,
}

/// Deletes a list; `POST /api/v1/audiences/{id}/restore` brings it back.
#[utoipa::path(
    delete, path = "/groups/{id}", tag = "groups", operation_id = "deleteGroup",
    params(("id" = String, Path, description = "Number of the list")),
    responses(
        (status = 200, description = "It is deleted", body = Deleted),
        (status = 409, description = "It is in use"),
    ),
)]
pub async fn remove(caller: Caller, Id(id): Id<String>) -> ApiResult {
    let number = number(&id).ok_or_else(|| refused(AppError::NotFound))?;
    let run = |caller: Caller| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let list = app.find.of_number(actor, number).await.map_err(refused)?;
        let dropped = app.change.drop(actor, list.id, None, None).await;
        dropped.map_err(refused)?;
        Ok(Answer::ok(&Deleted {
            message: "List deleted succesfully",
        }))
    };
    caller.change(run).await
}

/// As [`refused`], naming the name where another list has it.
fn taken(error: AppError, name: &AudienceName) -> Problem {
    match error {
        AppError::Conflict {
            code: "name_taken", ..
        } => broken(format!("The name \"{}\" is already in use.", name.as_str())),
        error => refused(error),
    }
}
