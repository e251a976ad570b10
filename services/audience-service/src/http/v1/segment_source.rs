//! Where the customers of segments are.

use std::borrow::Cow;

use api_types::segment_source::{
    CheckedColumnJson, CheckedTableJson, SegmentSourceJson, SourceCheckJson, SourceErrorJson,
    SourceUsageJson,
};
use domain::segment::SegmentSource;
use http_kit::{Answer, ApiResult, Idempotent, JsonBody, OptionalBody};
use serde_json::Value;

use crate::{
    AppError,
    http::{ApiState, Caller, v1::audiences::AnyObject},
    segment_source::{Checked, CheckedColumn, CheckedTable, Finding},
};

http_kit::routes!(ApiState; self::{check, read, remove, set});

/// Where the customers of segments are. Credentials are masked.
#[utoipa::path(
    get, path = "/segment_source", tag = "segments", operation_id = "readSegmentSource",
    responses((status = 200, description = "The source", body = SegmentSourceJson)),
)]
pub async fn read(caller: Caller) -> ApiResult {
    let source = caller.app.segment_sources.set.read(&caller.actor).await?;
    Ok(Answer::ok(&source.to_json()))
}

/// Says where the customers of segments are. Audiences are resolved there from their next refresh on.
#[utoipa::path(
    put, path = "/segment_source", tag = "segments", operation_id = "setSegmentSource",
    request_body = SegmentSourceJson,
    responses(
        (status = 200, description = "The source", body = SegmentSourceJson),
        (status = 422, description = "A rule is broken; credentials that cannot be used: `credentials_invalid`"),
    ),
)]
pub async fn set(caller: Caller, JsonBody(body): JsonBody<Value>) -> ApiResult {
    let source = SegmentSource::parse(&body).map_err(AppError::Invalid)?;
    let run = |caller: Caller| async move {
        let set = &caller.app.segment_sources.set;
        let source = set.execute(&caller.actor, source).await?;
        Ok(Answer::ok(&source.to_json()))
    };
    caller.change(run).await
}

/// Returns to the own store. Again: no change.
#[utoipa::path(
    delete, path = "/segment_source", tag = "segments", operation_id = "removeSegmentSource",
    responses((status = 200, description = "The source: `local`", body = SegmentSourceJson)),
)]
pub async fn remove(caller: Caller) -> ApiResult {
    let run = |caller: Caller| async move {
        let set = &caller.app.segment_sources.set;
        let source = set.execute(&caller.actor, SegmentSource::Local).await?;
        Ok(Answer::ok(&source.to_json()))
    };
    caller.change(run).await
}

/// Tells table by table what the source lacks. Nothing is billed.
#[utoipa::path(
    post, path = "/segment_source/check", tag = "segments", operation_id = "checkSegmentSource",
    responses((status = 200, description = "What there is and what is missing", body = SourceCheckJson)),
)]
pub async fn check(
    caller: Caller,
    Idempotent(once, _): Idempotent<OptionalBody<AnyObject>>,
) -> ApiResult {
    once.run(move |_| async move {
        let check = &caller.app.segment_sources.check;
        let checked = check.execute(&caller.actor).await?;
        Ok(Answer::ok(&check_json(checked)))
    })
    .await
}

fn check_json(checked: Checked) -> SourceCheckJson {
    SourceCheckJson {
        ok: checked.is_right(),
        errors: checked.errors.into_iter().map(error_json).collect(),
        tables: checked.tables.into_iter().map(table_json).collect(),
        usage: checked.usage.map(|usage| SourceUsageJson {
            month: usage.month.to_string(),
            bytes: usage.bytes,
            monthly_bytes: usage.most,
        }),
    }
}

fn table_json(table: CheckedTable) -> CheckedTableJson {
    CheckedTableJson {
        ok: table.is_right(),
        member: table.member.into(),
        table: table.table,
        error: table.error.map(error_json),
        columns: table.columns.into_iter().map(column_json).collect(),
    }
}

fn column_json(column: CheckedColumn) -> CheckedColumnJson {
    CheckedColumnJson {
        member: column.purpose,
        column: column.column,
        expected: column.expected.into_iter().map(Cow::Borrowed).collect(),
        found: column.found,
        error: column.error.map(error_json),
    }
}

fn error_json(finding: Finding) -> SourceErrorJson {
    SourceErrorJson {
        code: finding.code.into(),
        detail: finding.detail,
    }
}
