//! Events of communications.

use domain::{
    customer::Channel,
    scheduling::{Communication, CommunicationState, Content, DispatchId, Occurrence, Recipients},
    shared::Instant,
};
use events::v1;
use kernel::EventSource;
use ports::{StoreError, bus::OutboxEvent, scheduling::ScheduleUnit};

use super::decide::Letter;

const SOURCE: EventSource = EventSource::new("/plateia/scheduler-service");

/// A part of its recipients has to be found.
pub async fn due(
    unit: &mut dyn ScheduleUnit,
    now: Instant,
    of: &Communication,
    data: v1::CommunicationDue,
) -> Result<(), StoreError> {
    let (id, occurrence, part) = (of.id, of.occurrence, data.part);
    let id = format!("due-{id}-{occurrence}-{part}");
    let (outbox, workspace) = (unit.outbox(), &of.workspace);
    SOURCE
        .emit(outbox, now, workspace, (id, occurrence), data)
        .await
}

/// Letters leave.
pub async fn dispatches(
    unit: &mut dyn ScheduleUnit,
    now: Instant,
    (of, scheduled_for): (&Communication, Instant),
    letters: Vec<(DispatchId, Letter)>,
) -> Result<(), StoreError> {
    let events = letters.into_iter().map(|(id, letter)| {
        let Letter { address, content } = letter;
        dispatch(now, of, (&id, scheduled_for), Some(address), content)
    });
    let events: Vec<OutboxEvent> = events.collect::<Result<_, _>>()?;
    unit.outbox().add_all(events, now).await
}

/// Something has to be sent.
pub fn dispatch(
    now: Instant,
    of: &Communication,
    (id, scheduled_for): (&DispatchId, Instant),
    address: Option<String>,
    content: Content,
) -> Result<OutboxEvent, StoreError> {
    let data = v1::DispatchRequested {
        dispatch_id: id.to_string(),
        communication_id: of.id.to_string(),
        occurrence: id.occurrence,
        channel: id.channel.to_string(),
        recipient: id.recipient.as_str().to_owned(),
        address,
        content: Some(v1::DispatchContent {
            subject: content.subject,
            text: content.text,
            html: content.html,
        }),
        scheduled_for: Some(scheduled_for.into()),
        emitted_at: Some(now.into()),
        lateness_ms: (now - scheduled_for).num_milliseconds().max(0),
    };
    SOURCE.event(now, &of.workspace, id.to_string(), id.occurrence, data)
}

/// Its audience is to be recycled, where its plan says so and all of it has left.
pub async fn recycling(
    unit: &mut dyn ScheduleUnit,
    now: Instant,
    of: &Communication,
    ended: &Occurrence,
) -> Result<(), StoreError> {
    let (Recipients::Audience(audience), Some(rules), CommunicationState::Completed) =
        (&of.plan.recipients, &of.plan.recycle, ended.state)
    else {
        return Ok(());
    };
    let data = v1::RecyclingDue {
        communication_id: of.id.to_string(),
        occurrence: ended.number,
        audience_id: audience.to_string(),
        recycle: rules.to_string(),
        created_by: of.created_by.clone(),
    };
    let id = format!("recycling-{}-{}", of.id, ended.number);
    let (outbox, workspace) = (unit.outbox(), &of.workspace);
    SOURCE
        .emit(outbox, now, workspace, (id, ended.number), data)
        .await
}

/// It no longer uses the audience that it used before it came to a version.
pub async fn unused(
    unit: &mut dyn ScheduleUnit,
    now: Instant,
    before: &Communication,
    version: i64,
) -> Result<(), StoreError> {
    using(unit, now, before, version, false).await
}

/// Whether it uses its audience, as it stands now.
pub async fn usage(
    unit: &mut dyn ScheduleUnit,
    now: Instant,
    of: &Communication,
) -> Result<(), StoreError> {
    let in_use = matches!(
        of.state,
        CommunicationState::Draft
            | CommunicationState::Scheduled
            | CommunicationState::Resolving
            | CommunicationState::Dispatching
            | CommunicationState::Paused
    );
    using(unit, now, of, of.version, in_use).await
}

async fn using(
    unit: &mut dyn ScheduleUnit,
    now: Instant,
    of: &Communication,
    version: i64,
    in_use: bool,
) -> Result<(), StoreError> {
    let Recipients::Audience(audience) = of.plan.recipients else {
        return Ok(());
    };
    let data = v1::AudienceUsageChanged {
        audience_id: audience.to_string(),
        kind: "communication".to_owned(),
        id: of.id.to_string(),
        name: of.name.clone(),
        in_use,
        ..v1::AudienceUsageChanged::default()
    };
    let id = format!("usage-{}-{version}-{audience}", of.id);
    let (outbox, workspace) = (unit.outbox(), &of.workspace);
    SOURCE
        .emit(outbox, now, workspace, (id, version), data)
        .await
}

/// What is asked of audience-service for one part.
pub fn ask(of: &Communication, placeholders: Vec<String>) -> v1::CommunicationDue {
    v1::CommunicationDue {
        communication_id: of.id.to_string(),
        occurrence: of.occurrence,
        channels: of.plan.channels.iter().map(Channel::to_string).collect(),
        placeholders,
        transactional: of.plan.transactional,
        freshness_minutes: of.plan.freshness_minutes.map(i64::from),
        ..v1::CommunicationDue::default()
    }
}
