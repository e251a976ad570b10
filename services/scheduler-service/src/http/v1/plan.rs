//! When what is sent to whom, as V1 says it.

use std::collections::{BTreeMap, BTreeSet};

use api_types::{
    communications::{
        CommunicationMessageJson, MisfireJson, NewCommunication, RecipientsJson, RecurrenceJson,
    },
    recycle::RecycleBody,
};
use domain::{
    customer::Channel,
    scheduling::{Message, Misfire, Plan, QuietHours, Recipients, Timing, Variant, local_instant},
    shared::{AudienceId, AudienceName, Instant, Violation, one_of},
    workspace::TimeZone,
};
use serde_json::Value;

use crate::communication;

/// Longest beginning of a text that is a name.
const NAME: usize = 60;

/// What a body asks for, or everything in it that cannot be read.
pub fn read(
    body: NewCommunication,
    zone: TimeZone,
) -> Result<communication::NewCommunication, Vec<Violation>> {
    let mut broken = Vec::new();
    let recycle = body.on_completion.map(|then| then.recycle);
    if let Some(Err(unfit)) = recycle.clone().map(recycling::standing) {
        broken.extend(unfit.into_iter().map(|violation| Violation {
            pointer: format!("/on_completion/recycle{}", violation.pointer),
            ..violation
        }));
    }
    let mut keep = Keep(&mut broken);
    let recycle = keep.read(recycle.map(stored).transpose());
    let timing = keep.read(timing(body.send_at.as_ref(), body.recurrence, zone));
    let recipients = keep.read(recipients(body.recipients));
    let channels = keep.read(channels(&body.channels));
    let message = keep.read(message(body.message));
    let misfire = keep.read(body.misfire.map_or(Ok(Misfire::default()), misfire));
    let quiet_hours = body.quiet_hours.as_deref();
    let quiet_hours = quiet_hours.map_or(Ok(QuietHours::default()), |text| {
        one_of("/quiet_hours", text, QuietHours::ALL)
    });
    let quiet_hours = keep.read(quiet_hours);
    let name = body.name.as_deref();
    let name = name.map(|name| AudienceName::parse(name).map_err(|e| e.to_string()));
    let name = name.transpose();
    let name = keep.read(name.map_err(|e| Violation::new("/name", "invalid_name", e)));
    let all = (
        recycle,
        timing,
        recipients,
        channels,
        message,
        misfire,
        quiet_hours,
        name,
    );
    let (
        Some(recycle),
        Some(timing),
        Some(recipients),
        Some(channels),
        Some(message),
        Some(misfire),
        Some(quiet_hours),
        Some(name),
    ) = all
    else {
        return Err(broken);
    };
    if !broken.is_empty() {
        return Err(broken);
    }
    let plan = Plan {
        timing,
        recipients,
        channels,
        message,
        misfire,
        quiet_hours,
        transactional: body.transactional.unwrap_or_default(),
        rate_per_minute: body.rate_per_minute,
        freshness_minutes: body.freshness_minutes,
        recycle,
    };
    let name = name.map_or_else(|| begins(&plan.message), |name| name.as_str().to_owned());
    Ok(communication::NewCommunication { name, plan })
}

/// The rules of a recycling as they are kept.
fn stored(body: RecycleBody) -> Result<Value, Violation> {
    let unreadable = |_| Violation::new("/on_completion/recycle", "invalid_value", "no JSON");
    serde_json::to_value(body).map_err(unreadable)
}

/// Keeps what is broken.
struct Keep<'b>(&'b mut Vec<Violation>);

impl Keep<'_> {
    fn read<T>(&mut self, read: Result<T, Violation>) -> Option<T> {
        read.map_err(|violation| self.0.push(violation)).ok()
    }
}

/// The name of a communication that has none.
pub fn begins(message: &Message) -> String {
    let text = message.subject.as_ref().or(message.text.as_ref());
    let line = text.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
    line.map_or_else(
        || "communication".to_owned(),
        |line| {
            line.chars()
                .filter(|c| !c.is_control())
                .take(NAME)
                .collect()
        },
    )
}

fn timing(
    send_at: Option<&Value>,
    recurrence: Option<RecurrenceJson>,
    zone: TimeZone,
) -> Result<Timing, Violation> {
    match (send_at, recurrence) {
        (Some(send_at), None) => Ok(Timing::At(instant(send_at)?)),
        (None, Some(recurrence)) => {
            let zone = match &recurrence.timezone {
                Some(name) => time_zone("/recurrence/timezone", name)?,
                None => zone,
            };
            let until = recurrence.until.as_deref();
            let until = until.map(|until| rfc3339("/recurrence/until", until));
            Ok(Timing::Recurring {
                cron: recurrence.cron,
                timezone: zone,
                until: until.transpose()?,
            })
        }
        _ => Err(Violation::new(
            "/send_at",
            "required",
            "either send_at or recurrence",
        )),
    }
}

/// An instant.
pub fn rfc3339(pointer: &str, text: &str) -> Result<Instant, Violation> {
    let at = chrono::DateTime::parse_from_rfc3339(text);
    let detail = "must be RFC 3339, such as 2026-12-01T09:00:00-03:00";
    at.map(|at| at.to_utc())
        .map_err(|_| Violation::new(pointer, "invalid_instant", detail))
}

fn time_zone(pointer: &str, name: &str) -> Result<TimeZone, Violation> {
    let detail = "must be an IANA time zone, such as America/Sao_Paulo";
    name.parse()
        .map_err(|_| Violation::new(pointer, "invalid_timezone", detail))
}

/// An instant, or a time of a zone.
fn instant(value: &Value) -> Result<Instant, Violation> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match (value.as_str(), text("local"), text("timezone")) {
        (Some(text), ..) => rfc3339("/send_at", text),
        (None, Some(local), Some(zone)) => {
            let zone = time_zone("/send_at/timezone", zone)?;
            let read = |form| chrono::NaiveDateTime::parse_from_str(local, form).ok();
            let time = read("%Y-%m-%dT%H:%M").or_else(|| read("%Y-%m-%dT%H:%M:%S"));
            let at = time.and_then(|time| local_instant(zone, time));
            let detail = "must be a time such as 2026-12-01T09:00";
            at.ok_or_else(|| Violation::new("/send_at/local", "invalid_instant", detail))
        }
        _ => {
            let detail = "must be RFC 3339, or an object of local and timezone";
            Err(Violation::new("/send_at", "invalid_instant", detail))
        }
    }
}

fn recipients(json: RecipientsJson) -> Result<Recipients, Violation> {
    match (json.customer_ids, json.audience_id, json.broadcast) {
        (Some(ids), None, None) => Ok(Recipients::Customers(once_each(ids))),
        (None, Some(id), None) => {
            let detail = "not the id of an audience";
            let invalid = |_| Violation::new("/recipients/audience_id", "invalid_id", detail);
            id.parse::<AudienceId>()
                .map(Recipients::Audience)
                .map_err(invalid)
        }
        (None, None, Some(true)) => Ok(Recipients::Broadcast),
        _ => {
            let detail = "one of customer_ids, audience_id and broadcast: true";
            Err(Violation::new("/recipients", "required", detail))
        }
    }
}

/// The numbers, each once, in their order.
pub fn once_each(ids: Vec<i64>) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn channels(names: &[String]) -> Result<BTreeSet<Channel>, Violation> {
    let read =
        |(at, name): (usize, &String)| one_of(&format!("/channels/{at}"), name, Channel::ALL);
    names.iter().enumerate().map(read).collect()
}

fn message(json: CommunicationMessageJson) -> Result<Message, Violation> {
    let variants = json.variants.into_iter().map(|(channel, variant)| {
        let channel = one_of("/message/variants", &channel, Channel::ALL)?;
        let variant = Variant {
            subject: variant.subject,
            text: variant.text,
            html: variant.html,
        };
        Ok((channel, variant))
    });
    let variants: Result<BTreeMap<_, _>, Violation> = variants.collect();
    Ok(Message {
        text: json.text,
        subject: json.subject,
        variants: variants?,
    })
}

fn misfire(json: MisfireJson) -> Result<Misfire, Violation> {
    match (json.policy.as_str(), json.seconds) {
        ("send", None) => Ok(Misfire::Send),
        ("skip", None) => Ok(Misfire::Skip),
        ("send_if_late_by", Some(seconds)) => Ok(Misfire::SendIfLateBy(seconds)),
        ("send_if_late_by", None) => Err(Violation::new(
            "/misfire/seconds",
            "required",
            "how late it may be",
        )),
        ("send" | "skip", Some(_)) => Err(Violation::new(
            "/misfire/seconds",
            "not_allowed",
            "only with send_if_late_by",
        )),
        _ => Err(Violation::not_one_of(
            "/misfire/policy",
            ["send", "skip", "send_if_late_by"],
        )),
    }
}
