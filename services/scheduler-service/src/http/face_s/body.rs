//! What face S is sent.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use domain::{
    customer::Channel,
    scheduling::{Message, Misfire, Plan, QuietHours, Recipients, Timing, local_instant},
    shared::{AudienceId, Instant, Violation, one_of},
    workspace::TimeZone,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{communication::NewCommunication, http::v1::plan};

/// Ways that this face knows.
const VIA: [Channel; 4] = [
    Channel::Email,
    Channel::Sms,
    Channel::Push,
    Channel::Whatsapp,
];
/// Customers have numbers below this.
const MAX_ID: i64 = 1 << 53;

/// A message to be scheduled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// When: RFC 3339, or `YYYY-MM-DD HH:MM[:SS]` in the workspace's zone.
    data: String,
    /// What is said.
    mensagem: String,
    /// `email`, `sms`, `push` or `whatsapp`.
    via: String,
    /// A customer, several, or `{"audience_id"}`; not with `push`.
    #[serde(default)]
    para: Option<Value>,
}

/// What is asked for, or everything that cannot be read.
pub fn read(sent: Scheduled, zone: TimeZone) -> Result<NewCommunication, Vec<Violation>> {
    let mut broken = Vec::new();
    let mut keep = |violation| broken.push(violation);
    let at = instant(&sent.data, zone).map_err(&mut keep).ok();
    let via = one_of("/via", &sent.via, &VIA).map_err(&mut keep).ok();
    let recipients = recipients(sent.para.as_ref(), via).map_err(&mut keep).ok();
    let (Some(at), Some(via), Some(recipients)) = (at, via, recipients) else {
        return Err(broken);
    };
    let message = Message {
        text: Some(sent.mensagem),
        ..Message::default()
    };
    Ok(NewCommunication {
        name: plan::begins(&message),
        plan: Plan {
            timing: Timing::At(at),
            recipients,
            channels: BTreeSet::from([via]),
            message,
            misfire: Misfire::Send,
            quiet_hours: QuietHours::Respect,
            transactional: false,
            rate_per_minute: None,
            freshness_minutes: None,
            recycle: None,
        },
    })
}

fn instant(text: &str, zone: TimeZone) -> Result<Instant, Violation> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let read = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let time = read("%Y-%m-%d %H:%M").or_else(|| read("%Y-%m-%d %H:%M:%S"));
    time.and_then(|time| local_instant(zone, time))
        .ok_or_else(|| {
            let detail = "must be RFC 3339 or YYYY-MM-DD HH:MM[:SS]";
            Violation::new("/data", "invalid_instant", detail)
        })
}

fn recipients(para: Option<&Value>, via: Option<Channel>) -> Result<Recipients, Violation> {
    let broken = |code, detail| Err(Violation::new("/para", code, detail));
    let para = para.filter(|para| !para.is_null());
    match (para, via) {
        (None, Some(Channel::Push)) => Ok(Recipients::Broadcast),
        (Some(_), Some(Channel::Push)) => broken("push_is_broadcast", "push has no recipients"),
        (None, _) => broken("required", "a customer, several, or an audience"),
        (Some(Value::Array(all)), _) => {
            let ids: Option<Vec<i64>> = all.iter().map(number).collect();
            match ids {
                Some(ids) => Ok(Recipients::Customers(plan::once_each(ids))),
                None => broken("invalid_id", "ids of customers are numbers"),
            }
        }
        (Some(Value::Object(members)), _) => {
            let id = members.get("audience_id").filter(|_| members.len() == 1);
            let id = id.and_then(Value::as_str);
            match id.and_then(|id| id.parse::<AudienceId>().ok()) {
                Some(id) => Ok(Recipients::Audience(id)),
                None => broken("invalid_id", "must be {\"audience_id\": \"aud_…\"}"),
            }
        }
        (Some(one), _) => match number(one) {
            Some(id) => Ok(Recipients::Customers(vec![id])),
            None => broken("invalid_id", "ids of customers are numbers"),
        },
    }
}

/// The number of a customer, also as a text.
fn number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| (1..MAX_ID).contains(number))
}

/// A broken rule of a communication, at the member of this face that broke it.
pub fn renamed(broken: Violation) -> Violation {
    let pointer = match broken.pointer.split('/').nth(1) {
        Some("send_at") => "/data",
        Some("recipients") => "/para",
        Some("channels") => "/via",
        Some("message") => "/mensagem",
        _ => "",
    };
    Violation {
        pointer: pointer.to_owned(),
        ..broken
    }
}
