//! `/api/v1/dispatches/reports`: what senders report over HTTP.

use api_types::communications::{DispatchReportJson, NewReports, ReportsTaken};
use domain::{
    scheduling::RecipientStatus,
    shared::{Instant, Violation, one_of},
};
use http_kit::{Answer, ApiResult, Idempotent, JsonBody, Problem};

use super::plan;
use crate::{dispatch::NewReport, http::Caller};

/// Most reports of one request.
const MOST: usize = 1_000;
/// What a sender reports.
const REPORTED: [RecipientStatus; 4] = [
    RecipientStatus::Sent,
    RecipientStatus::Delivered,
    RecipientStatus::Read,
    RecipientStatus::Failed,
];

fn read(at: usize, json: DispatchReportJson, now: Instant) -> Result<NewReport, Violation> {
    let pointer = |name: &str| format!("/data/{at}/{name}");
    let dispatch = json.dispatch_id.parse().map_err(|_| {
        Violation::new(
            pointer("dispatch_id"),
            "invalid_id",
            "not the id of a dispatch",
        )
    });
    let instant = |text: String| plan::rfc3339(&pointer("at"), &text);
    Ok(NewReport {
        dispatch: dispatch?,
        status: one_of(&pointer("status"), &json.status, &REPORTED)?,
        at: json.at.map_or(Ok(now), instant)?,
        provider_id: json.provider_id,
        error: json.error,
    })
}

/// Takes reports, in any order and as often as they come.
#[utoipa::path(
    post, path = "/dispatches/reports", tag = "communications", operation_id = "reportDispatches",
    request_body = NewReports,
    responses(
        (status = 200, description = "Taken; unknown dispatches are named", body = ReportsTaken),
        (status = 413, description = "More than 1,000"),
        (status = 422, description = "A rule is broken; nothing is taken"),
    )
)]
pub async fn report(
    caller: Caller,
    Idempotent(once, JsonBody(body)): Idempotent<JsonBody<NewReports>>,
) -> ApiResult {
    if body.data.len() > MOST {
        return Err(Problem::too_large(format!("more than {MOST} reports")));
    }
    let now = caller.cases.reports.clock.now();
    let all = body.data.into_iter().enumerate();
    let reports: Result<Vec<_>, _> = all.map(|(at, json)| read(at, json, now)).collect();
    let reports = reports?;
    once.run(move |_| async move {
        let take = &caller.cases.reports;
        let unknown = take.execute(&caller.actor.workspace, &reports).await?;
        Ok(Answer::ok(&ReportsTaken {
            taken: reports.len() - unknown.len(),
            unknown: unknown.iter().map(ToString::to_string).collect(),
        }))
    })
    .await
}
