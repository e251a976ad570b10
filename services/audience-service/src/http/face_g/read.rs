//! Reading lists.

use actix_web::HttpResponse;
use domain::audience::AudienceKind;
use http_kit::{Answer, ApiResult, Id, Problem};
use ports::store::{AudienceFilter, AudienceSort};

use super::{
    body::number,
    json::{Found, Group, Listed, NO_LIST},
    refused,
};
use crate::{
    AppError,
    http::{
        Caller,
        all_audiences::{AllAudiences, Frame, append},
    },
};

/// All lists of the workspace, whatever made them, in the order of their ids. Where there are many, `count`
/// comes after `items`.
#[utoipa::path(
    get, path = "/groups", tag = "groups", operation_id = "allGroups",
    responses((
        status = 200,
        description = "Streamed; `error` and `code` 404 where there is none",
        body = Listed<'static>,
    )),
)]
pub async fn all(caller: Caller) -> Result<HttpResponse, Problem> {
    let all = AllAudiences {
        caller,
        filter: AudienceFilter {
            kind: Some(AudienceKind::Static),
            deleted: Some(false),
            ..AudienceFilter::default()
        },
        sort: AudienceSort::NumberAsc,
    };
    let first = all.first().await.map_err(refused)?;
    let row = |text: &mut Vec<u8>, audience: &_| append(text, &Group::from(audience));
    let frame = match &first {
        (audiences, false) if audiences.is_empty() => return Ok(Answer::ok(&NO_LIST).into()),
        (audiences, false) => Frame {
            open: format!("{{\"count\":{},\"items\":[", audiences.len()),
            row,
            close: |_| "]}".to_owned(),
        },
        // How many there are is known at the end: lists may come and go while they are sent.
        (_, true) => Frame {
            open: "{\"items\":[".to_owned(),
            row,
            close: |count| format!("],\"count\":{count}}}"),
        },
    };
    Ok(all.streamed(first, frame))
}

/// A list.
#[utoipa::path(
    get, path = "/groups/{id}", tag = "groups", operation_id = "getGroup",
    params(("id" = String, Path, description = "Number of the list")),
    responses((
        status = 200,
        description = "The list; `error` and `code` 404 where there is none",
        body = Found<'static>,
    )),
)]
pub async fn one(caller: Caller, Id(id): Id<String>) -> ApiResult {
    let found = match number(&id) {
        Some(number) => caller.app.find.of_number(&caller.actor, number).await,
        None => Err(AppError::NotFound),
    };
    match found {
        Ok(audience) => Ok(Answer::ok(&Found::List(Group::from(&audience)))),
        Err(AppError::NotFound) => Ok(Answer::ok(&Found::None(NO_LIST))),
        Err(error) => Err(refused(error)),
    }
}
