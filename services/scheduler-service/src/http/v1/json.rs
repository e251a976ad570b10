//! Communications as V1 writes them.

use std::collections::BTreeMap;

use api_types::{
    communications::{
        ChannelPreview, CommunicationChange, CommunicationJson, CommunicationMessageJson,
        CommunicationPreview, HeldPreview, MisfireJson, NewCommunication, OccurrenceJson,
        OnCompletionJson, RecipientJson, RecipientsJson, RecurrenceJson, VariantJson,
    },
    recycle::RecycleBody,
};
use domain::scheduling::{
    Communication, Message, Misfire, Occurrence, Plan, Recipient, Recipients, Timing, Totals,
};
use http_kit::timestamp;
use ports::StoreError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::communication::Outlook;

/// A communication.
pub fn communication_json(of: &Communication, totals: Option<&Totals>) -> CommunicationJson {
    let plan = &of.plan;
    CommunicationJson {
        id: of.id.to_string(),
        name: of.name.clone(),
        status: of.state.to_string(),
        send_at: timestamp(of.due_at),
        recurrence: recurrence(&plan.timing),
        recipients: recipients(&plan.recipients),
        channels: plan.channels.iter().map(ToString::to_string).collect(),
        message: message(&plan.message),
        misfire: misfire(plan.misfire),
        quiet_hours: plan.quiet_hours.to_string(),
        transactional: plan.transactional,
        rate_per_minute: plan.rate_per_minute,
        freshness_minutes: plan.freshness_minutes,
        on_completion: plan.recycle.as_ref().map(|rules| json!({"recycle": rules})),
        occurrence: of.occurrence,
        totals: totals.map(by_channel),
        created_by: of.created_by.clone(),
        created_at: timestamp(of.created_at),
        updated_at: timestamp(of.updated_at),
    }
}

/// What a communication is asked to be, with the members of a change in place of its own.
///
/// # Errors
/// `Corrupt` where its own cannot be read.
pub fn changed(
    of: &Communication,
    change: CommunicationChange,
) -> Result<NewCommunication, StoreError> {
    let present = communication_json(of, None);
    let timed = change.send_at.is_some() || change.recurrence.is_some();
    let (send_at, recurrence) = match (timed, present.recurrence) {
        (true, _) => (change.send_at, change.recurrence),
        (false, None) => (Some(Value::String(present.send_at)), None),
        (false, recurrence) => (None, recurrence),
    };
    Ok(NewCommunication {
        name: change.name.or(Some(present.name)),
        send_at,
        recurrence,
        recipients: change.recipients.unwrap_or(present.recipients),
        channels: change.channels.unwrap_or(present.channels),
        message: change.message.unwrap_or(present.message),
        misfire: change.misfire.or(Some(present.misfire)),
        quiet_hours: change.quiet_hours.or(Some(present.quiet_hours)),
        transactional: change.transactional.or(Some(present.transactional)),
        rate_per_minute: change.rate_per_minute.or(present.rate_per_minute),
        freshness_minutes: change.freshness_minutes.or(present.freshness_minutes),
        on_completion: match change.on_completion {
            None => on_completion(&of.plan)?,
            some => some,
        },
    })
}

/// What was kept of a change's body.
fn on_completion(plan: &Plan) -> Result<Option<OnCompletionJson>, StoreError> {
    let Some(rules) = &plan.recycle else {
        return Ok(None);
    };
    let recycle = RecycleBody::deserialize(rules)
        .map_err(|_| StoreError::Corrupt("recycling of a communication"))?;
    Ok(Some(OnCompletionJson { recycle }))
}

fn recurrence(timing: &Timing) -> Option<RecurrenceJson> {
    match timing {
        Timing::At(_) => None,
        Timing::Recurring {
            cron,
            timezone,
            until,
        } => Some(RecurrenceJson {
            cron: cron.clone(),
            timezone: Some(timezone.to_string()),
            until: until.map(timestamp),
        }),
    }
}

fn recipients(recipients: &Recipients) -> RecipientsJson {
    let mut json = RecipientsJson::default();
    match recipients {
        Recipients::Customers(ids) => json.customer_ids = Some(ids.clone()),
        Recipients::Audience(id) => json.audience_id = Some(id.to_string()),
        Recipients::Broadcast => json.broadcast = Some(true),
    }
    json
}

fn message(message: &Message) -> CommunicationMessageJson {
    let variants = message.variants.iter().map(|(channel, variant)| {
        let variant = VariantJson {
            subject: variant.subject.clone(),
            html: variant.html.clone(),
            text: variant.text.clone(),
        };
        (channel.to_string(), variant)
    });
    CommunicationMessageJson {
        text: message.text.clone(),
        subject: message.subject.clone(),
        variants: variants.collect(),
    }
}

fn misfire(misfire: Misfire) -> MisfireJson {
    let (policy, seconds) = match misfire {
        Misfire::Send => ("send", None),
        Misfire::Skip => ("skip", None),
        Misfire::SendIfLateBy(seconds) => ("send_if_late_by", Some(seconds)),
    };
    MisfireJson {
        policy: policy.to_owned(),
        seconds,
    }
}

/// What will happen to a communication.
pub fn preview_json(of: &Outlook, rate_per_minute: Option<u32>) -> CommunicationPreview {
    let channels = of.channels.iter().map(|(channel, outlook)| {
        let preview = ChannelPreview {
            dispatches: outlook.dispatches,
            held: outlook.held,
            skipped: outlook.skipped.clone(),
        };
        (channel.to_string(), preview)
    });
    let held = of.held.iter().map(|(until, dispatches)| HeldPreview {
        until: timestamp(*until),
        dispatches: *dispatches,
    });
    CommunicationPreview {
        starts_at: timestamp(of.starts_at),
        recipients: of.recipients,
        channels: channels.collect(),
        held: held.collect(),
        duplicates: of.duplicates(),
        rate_per_minute,
        estimated_end: timestamp(of.estimated_end),
        complete: of.complete,
        error: of.error.clone(),
    }
}

fn by_channel(totals: &Totals) -> BTreeMap<String, BTreeMap<String, i64>> {
    let mut all: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for ((channel, status), count) in &totals.0 {
        let counts = all.entry(channel.to_string()).or_default();
        counts.insert(status.to_string(), *count);
    }
    all
}

/// One time that it was claimed.
pub fn occurrence_json(of: Occurrence) -> OccurrenceJson {
    OccurrenceJson {
        number: of.number,
        status: of.state.to_string(),
        scheduled_for: timestamp(of.scheduled_for),
        claimed_at: timestamp(of.claimed_at),
        lateness_ms: (of.claimed_at - of.scheduled_for).num_milliseconds().max(0),
        ended_at: of.ended_at.map(timestamp),
    }
}

/// One recipient on one channel.
pub fn recipient_json(of: Recipient) -> RecipientJson {
    RecipientJson {
        dispatch_id: of.dispatch.to_string(),
        recipient: of.dispatch.recipient.as_str().to_owned(),
        channel: of.dispatch.channel.to_string(),
        status: of.status.to_string(),
        reason: of.reason,
        provider_id: of.provider_id,
        held_until: of.held_until.map(timestamp),
        updated_at: timestamp(of.updated_at),
    }
}
