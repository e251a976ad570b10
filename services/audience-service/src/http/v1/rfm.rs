//! Scores of buyers.

use std::collections::BTreeMap;

use api_types::{
    operations::OperationJson,
    rfm::{RfmBody, RfmCellJson, RfmCutOffJson, RfmGridJson, RfmJson},
};
use chrono::DateTime;
use domain::{
    customer::{Amount, EventName},
    segment::{RfmCell, RfmScore},
};
use http_kit::{
    Answer, ApiResult, Idempotent, JsonBody, OptionalBody, Wait, operations::accepted, timestamp,
};
use ports::store::{CutOff, ScoreSettings};

use crate::{
    AppError,
    http::{ApiState, Caller, v1::audiences::AnyObject},
    score::Grid,
};

http_kit::routes!(ApiState; self::{grid, read, refresh, set});

/// Most days that are looked at.
const MAX_DAYS: u32 = 3_650;

/// What scores are made of.
#[utoipa::path(
    get, path = "/rfm", tag = "segments", operation_id = "readRfm",
    responses((status = 200, description = "What scores are made of", body = RfmJson)),
)]
pub async fn read(caller: Caller) -> ApiResult {
    let settings = caller.app.scores.settings(&caller.actor).await?;
    Ok(Answer::ok(&settings_json(&settings)))
}

/// Says what scores are made of, from the next time on that they are made.
#[utoipa::path(
    put, path = "/rfm", tag = "segments", operation_id = "setRfm", request_body = RfmBody,
    responses((status = 200, description = "What scores are made of", body = RfmJson)),
)]
pub async fn set(caller: Caller, JsonBody(body): JsonBody<RfmBody>) -> ApiResult {
    let event = EventName::parse(&body.event).ok_or_else(|| {
        let detail = "1 to 64 of a-z, 0-9, `_`, `.` and `-`";
        AppError::invalid("/event", "invalid_name", detail)
    })?;
    if !(1..=MAX_DAYS).contains(&body.window_days) {
        let detail = "1 to 3650 days";
        return Err(AppError::invalid("/window_days", "invalid_value", detail).into());
    }
    let run = |caller: Caller| async move {
        let (scores, actor) = (&caller.app.scores, &caller.actor);
        let settings = scores.set(actor, event, body.window_days).await?;
        Ok(Answer::ok(&settings_json(&settings)))
    };
    caller.change(run).await
}

/// Scores all buyers anew.
#[utoipa::path(
    post, path = "/rfm/refresh", tag = "segments", operation_id = "refreshRfm",
    responses(
        (status = 200, description = "The operation, which ended within the wait", body = OperationJson),
        (status = 202, description = "The operation", body = OperationJson),
    ),
)]
pub async fn refresh(
    caller: Caller,
    Wait(wait): Wait,
    Idempotent(once, _): Idempotent<OptionalBody<AnyObject>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let operation = app.scores.refresh(actor, request_id).await?;
        accepted(app.operations.as_ref(), actor, operation, wait).await
    })
    .await
}

/// Scores as they are now: who is in which cell, and where scores begin.
#[utoipa::path(
    get, path = "/rfm/grid", tag = "segments", operation_id = "readRfmGrid",
    responses((status = 200, description = "The cells", body = RfmGridJson)),
)]
pub async fn grid(caller: Caller) -> ApiResult {
    let grid = caller.app.scores.grid(&caller.actor).await?;
    Ok(Answer::ok(&grid_json(&grid)))
}

fn settings_json(settings: &ScoreSettings) -> RfmJson {
    RfmJson {
        event: settings.event.as_str().to_owned().into(),
        window_days: settings.window_days,
        scored_at: settings.scored_at.map(timestamp),
    }
}

fn grid_json(grid: &Grid) -> RfmGridJson {
    let mut cells: BTreeMap<RfmCell, (i64, i64)> = BTreeMap::new();
    for cell in &grid.cells {
        let sums = cells.entry(cell.scores.cell()).or_default();
        sums.0 += cell.customers;
        sums.1 = sums.1.saturating_add(cell.money);
    }
    let customers = cells.values().map(|(customers, _)| customers).sum::<i64>();
    let money = cells
        .values()
        .fold(0_i64, |sum, (_, money)| sum.saturating_add(*money));
    let decimal = |millionths| Amount::from_millionths(millionths).to_string();
    let cell = |cell: &RfmCell| {
        let (of_cell, money) = cells.get(cell).copied().unwrap_or_default();
        RfmCellJson {
            cell: cell.as_str().into(),
            customers: of_cell,
            share: of_cell as f64 / customers.max(1) as f64,
            money: decimal(money),
        }
    };
    RfmGridJson {
        settings: settings_json(&grid.settings),
        customers,
        money: decimal(money),
        cells: RfmCell::ALL.iter().map(cell).collect(),
        cut_offs: grid.cut_offs.iter().map(cut_off).collect(),
    }
}

fn cut_off(cut: &CutOff) -> RfmCutOffJson {
    let (score, value) = cut.score;
    let from = match score {
        RfmScore::Recency => {
            let at = DateTime::from_timestamp_millis(cut.from);
            at.map(timestamp).unwrap_or_default()
        }
        RfmScore::Frequency => cut.from.to_string(),
        RfmScore::Monetary => Amount::from_millionths(cut.from).to_string(),
    };
    RfmCutOffJson {
        score: score.as_str().into(),
        value,
        from,
    }
}
