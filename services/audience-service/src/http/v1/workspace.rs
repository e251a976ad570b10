//! Settings of the caller's workspace.

use actix_web::http::header;
use api_types::workspace::{FrequencyCapJson, QuietHoursJson, WorkspaceChange, WorkspaceJson};
use chrono::NaiveTime;
use domain::{
    customer::Channel,
    segment::Locale,
    shared::{AudienceId, Violation, one_of},
    workspace::{ConsentRule, FrequencyCap, QuietDay, QuietWindow, WorkspaceSettings},
};
use http_kit::{Answer, ApiResult, JsonBody, Problem, etag, etag::IfMatch};

use crate::{
    http::{ApiState, Caller},
    workspace::SettingsChange,
};

/// How times of day are written.
const CLOCK: &str = "%H:%M";

http_kit::routes!(ApiState; self::{change, read, replace});

/// The settings of the workspace.
#[utoipa::path(
    get, path = "/workspace", tag = "workspace", operation_id = "readWorkspace",
    responses((status = 200, description = "The settings", body = WorkspaceJson)),
)]
pub async fn read(caller: Caller) -> ApiResult {
    let settings = caller.app.workspaces.settings(&caller.actor).await?;
    Ok(answer(&settings, &caller.environment))
}

/// Sets what is named, and leaves the rest as it is.
#[utoipa::path(
    patch, path = "/workspace", tag = "workspace", operation_id = "changeWorkspace",
    request_body = WorkspaceChange,
    params(IfMatch),
    responses(
        (status = 200, description = "The settings", body = WorkspaceJson),
        (status = 409, description = "`workspace_has_customers`"),
        (status = 412, description = "They have changed since"),
        (status = 422, description = "`unsupported_setting`, or a rule is broken"),
    ),
)]
pub async fn change(
    caller: Caller,
    condition: IfMatch,
    JsonBody(body): JsonBody<WorkspaceChange>,
) -> ApiResult {
    let change = read_change(body, &caller.environment)?;
    apply(caller, &condition, change).await
}

/// Sets all settings: those that are not named become what they are by default.
#[utoipa::path(
    put, path = "/workspace", tag = "workspace", operation_id = "setWorkspace",
    request_body = WorkspaceChange,
    params(IfMatch),
    responses(
        (status = 200, description = "The settings", body = WorkspaceJson),
        (status = 409, description = "`workspace_has_customers`"),
        (status = 412, description = "They have changed since"),
        (status = 422, description = "`unsupported_setting`, or a rule is broken"),
    ),
)]
pub async fn replace(
    caller: Caller,
    condition: IfMatch,
    JsonBody(body): JsonBody<WorkspaceChange>,
) -> ApiResult {
    let change = read_change(body, &caller.environment)?;
    apply(caller, &condition, change.of_all()).await
}

async fn apply(caller: Caller, condition: &IfMatch, change: SettingsChange) -> ApiResult {
    let known = caller.app.workspaces.settings(&caller.actor).await?;
    let version = condition.expect(known.version)?;
    let run = |caller: Caller| async move {
        let workspaces = &caller.app.workspaces;
        let settings = workspaces.change(&caller.actor, version, change).await?;
        Ok(answer(&settings, &caller.environment))
    };
    caller.change(run).await
}

fn answer(settings: &WorkspaceSettings, environment: &str) -> Answer {
    let json = WorkspaceJson {
        environment_id: environment.to_owned(),
        timezone: settings.notation.zone.name().into(),
        locale: settings.notation.locale.as_str().into(),
        excluded_audience_id: settings.excluded_audience.map(|id| id.to_string()),
        members_changed_events: settings.member_events,
        consent: settings.consent.as_str().into(),
        quiet_hours: settings.sending.quiet_hours.iter().map(window).collect(),
        frequency_cap: settings.sending.frequency_cap.map(|cap| FrequencyCapJson {
            count: cap.count,
            days: cap.days,
        }),
    };
    Answer::ok(&json).with_header(header::ETAG, etag::strong(settings.version))
}

fn window(window: &QuietWindow) -> QuietHoursJson {
    QuietHoursJson {
        channel: window.channel.map(|channel| channel.to_string()),
        from: window.from.format(CLOCK).to_string(),
        to: window.to.format(CLOCK).to_string(),
        days: window.days.iter().map(ToString::to_string).collect(),
    }
}

fn read_window(at: usize, json: QuietHoursJson) -> Result<QuietWindow, Violation> {
    let time = |member: &str, text: &str| {
        let pointer = format!("/quiet_hours/{at}/{member}");
        let detail = "must be a time such as 21:30";
        NaiveTime::parse_from_str(text, CLOCK)
            .map_err(|_| Violation::new(pointer, "invalid_value", detail))
    };
    let channel = json.channel.as_deref().map(|name| {
        let pointer = format!("/quiet_hours/{at}/channel");
        one_of(&pointer, name, Channel::ALL)
    });
    let days = (0..).zip(&json.days).map(|(n, name): (usize, _)| {
        let pointer = format!("/quiet_hours/{at}/days/{n}");
        one_of(&pointer, name, QuietDay::ALL)
    });
    Ok(QuietWindow {
        channel: channel.transpose()?,
        from: time("from", &json.from)?,
        to: time("to", &json.to)?,
        days: days.collect::<Result<_, _>>()?,
    })
}

fn read_change(body: WorkspaceChange, environment: &str) -> Result<SettingsChange, Problem> {
    let mut broken = Vec::new();
    if body.environment_id.is_some_and(|id| id != environment) {
        let detail = format!("is {environment:?}, as the installation's configuration says");
        broken.push(Violation::new(
            "/environment_id",
            "other_environment",
            detail,
        ));
    }
    let cap = |cap: FrequencyCapJson| FrequencyCap {
        count: cap.count,
        days: cap.days,
    };
    let mut change = SettingsChange {
        member_events: body.members_changed_events,
        frequency_cap: body.frequency_cap.map(|said| said.map(cap)),
        ..SettingsChange::default()
    };
    if let Some(windows) = body.quiet_hours {
        let windows = (0..)
            .zip(windows)
            .map(|(at, window)| read_window(at, window));
        match windows.collect() {
            Ok(windows) => change.quiet_hours = Some(windows),
            Err(violation) => broken.push(violation),
        }
    }
    if let Some(name) = body.timezone {
        match name.parse() {
            Ok(zone) => change.zone = Some(zone),
            Err(_) => {
                let detail = "must be an IANA time zone";
                broken.push(Violation::new("/timezone", "invalid_value", detail));
            }
        }
    }
    if let Some(name) = body.locale {
        match one_of("/locale", &name, Locale::ALL) {
            Ok(locale) => change.locale = Some(locale),
            Err(violation) => broken.push(violation),
        }
    }
    if let Some(name) = body.consent {
        match one_of("/consent", &name, ConsentRule::ALL) {
            Ok(rule) => change.consent = Some(rule),
            Err(violation) => broken.push(violation),
        }
    }
    if let Some(excluded) = body.excluded_audience_id {
        let id = excluded.map(|text| text.parse::<AudienceId>()).transpose();
        match id {
            Ok(id) => change.excluded_audience = Some(id),
            Err(_) => {
                let detail = "there is no such audience";
                let at = "/excluded_audience_id";
                broken.push(Violation::new(at, "unknown_audience", detail));
            }
        }
    }
    match broken.is_empty() {
        true => Ok(change),
        false => Err(Problem::unprocessable(broken)),
    }
}
