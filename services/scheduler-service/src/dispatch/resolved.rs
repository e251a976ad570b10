//! Sends to recipients that were found.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{SubsecRound, TimeDelta};
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, DispatchId, Lane, Occurrence, Recipient, RecipientKey,
        RecipientStatus, Recipients,
    },
    shared::{CommunicationId, Instant, WorkspaceId},
};
use events::v1;
use ports::{
    Clock, SecretVault, StoreError,
    bus::Receipt,
    crash,
    scheduling::{NewRecipient, ScheduleQueries, ScheduleStore, ScheduleUnit, Waiting},
};

use super::{
    Signals,
    claim::{AT_ONCE, part},
    decide::{Decided, Deciding, Letter, skip_capped, skip_repeated},
    emit, letters,
};

/// Sends to recipients that were found.
#[derive(Clone)]
pub struct DispatchResolved {
    pub store: Arc<dyn ScheduleStore>,
    pub queries: Arc<dyn ScheduleQueries>,
    pub vault: Arc<dyn SecretVault>,
    pub clock: Arc<dyn Clock>,
    pub signals: Signals,
}

/// What a part of the recipients comes to.
#[derive(Default)]
struct Part {
    recipients: Vec<NewRecipient>,
    leaving: Vec<(DispatchId, Letter)>,
    waiting: Vec<Waiting>,
}

impl DispatchResolved {
    /// Takes a part of the recipients of a communication, once.
    ///
    /// # Errors
    /// `Corrupt` where a member cannot be read, `StaleVersion` where the delivery was taken over; store errors.
    #[tracing::instrument(name = "communication.dispatch", skip_all)]
    pub async fn execute(
        &self,
        workspace: &WorkspaceId,
        found: v1::RecipientsResolved,
        delivery: &Receipt,
    ) -> Result<(), StoreError> {
        let now = self.clock.now().trunc_subsecs(3);
        let id: CommunicationId = found
            .communication_id
            .parse()
            .map_err(|_| StoreError::Corrupt("id of a communication"))?;
        let mut unit = self.store.begin_schedule().await?;
        let communication = unit.communications().get(workspace, id).await?;
        let mut communication = communication.ok_or(StoreError::Corrupt("no communication"))?;
        let occurrence = unit
            .communications()
            .occurrence(id, found.occurrence)
            .await?;
        let mut occurrence = occurrence.ok_or(StoreError::Corrupt("no occurrence"))?;
        let deciding = Deciding::new(&communication, &found)?;
        let mut all = deciding.all(&found, self.vault.as_ref(), now)?;
        keep_new(unit.as_mut(), &communication, &mut all).await?;
        if let Some(cap) = deciding.cap() {
            let keys: Vec<&RecipientKey> = all.iter().map(|one| &one.dispatch.recipient).collect();
            let since = now - TimeDelta::days(cap.days.into());
            let got = self.queries.counted_since(workspace, &keys, since).await?;
            skip_capped(&mut all, got, cap);
        }
        let rules = deciding.rules().clone();
        let part = self.part(&communication, all, now)?;
        for batch in part.recipients.chunks(1_000) {
            unit.recipients().add(workspace, batch).await?;
        }
        let of = (&communication, occurrence.scheduled_for);
        emit::dispatches(unit.as_mut(), now, of, part.leaving).await?;
        unit.lanes().add(&part.waiting).await?;
        let lane = unit.lanes().get(id).await?;
        let mut lane = lane.unwrap_or_else(|| Lane {
            communication: id,
            workspace: workspace.clone(),
            occurrence: found.occurrence,
            due_at: None,
            next_slot: now,
            waiting: 0,
            rules,
        });
        if !part.waiting.is_empty() {
            lane.waiting += i64::try_from(part.waiting.len()).unwrap_or(i64::MAX);
            let earliest = part.waiting.iter().map(|one| one.release_at).min();
            let due = [lane.due_at, earliest].into_iter().flatten().min();
            lane.due_at = due.filter(|_| communication.state != CommunicationState::Paused);
            unit.lanes().save(&lane).await?;
        }
        ask_on(unit.as_mut(), &communication, found.part, now).await?;
        let version = communication.version;
        occurrence.arrive(found.parts);
        communication.dispatches(now);
        if found.error_code.is_some() {
            occurrence.state = CommunicationState::Failed;
        }
        if end_if_done(&mut communication, &mut occurrence, lane.waiting, now) {
            emit::recycling(unit.as_mut(), now, &communication, &occurrence).await?;
        }
        unit.communications().save_occurrence(&occurrence).await?;
        if communication.version != version {
            // The version grows once with each save.
            communication.version = version + 1;
            let changed = std::slice::from_ref(&communication);
            unit.communications().save(changed).await?;
            emit::usage(unit.as_mut(), now, &communication).await?;
        }
        unit.inbox().complete(delivery, now).await?;
        crash::point("communication.dispatching");
        unit.commit().await?;
        crash::point("communication.dispatched");
        self.signals.planned();
        Ok(())
    }

    /// What is stored of recipients, and what leaves or waits.
    fn part(
        &self,
        of: &Communication,
        all: Vec<Decided>,
        now: Instant,
    ) -> Result<Part, StoreError> {
        let paced = of.plan.rate_per_minute.is_some() || of.state == CommunicationState::Paused;
        let mut part = Part::default();
        for one in all {
            let waits = paced || one.held_until.is_some();
            let (status, reason) = match &one.letter {
                Err(reason) => (RecipientStatus::Skipped, Some(reason.clone())),
                Ok(_) if one.held_until.is_some() => (RecipientStatus::Held, None),
                Ok(_) if waits => (RecipientStatus::Pending, None),
                Ok(_) => (RecipientStatus::Dispatched, None),
            };
            let counts = status == RecipientStatus::Dispatched && of.plan.is_bound();
            part.recipients.push(NewRecipient {
                recipient: Recipient {
                    dispatch: one.dispatch.clone(),
                    status,
                    reason,
                    provider_id: None,
                    held_until: one.held_until,
                    counted_at: counts.then_some(now),
                    updated_at: now,
                },
                address: one.address,
            });
            match one.letter {
                Ok(letter) if waits => part.waiting.push(Waiting {
                    release_at: one.held_until.unwrap_or(now),
                    zone: one.zone,
                    sealed: letters::seal(self.vault.as_ref(), of.id, &letter)?,
                    dispatch: one.dispatch,
                }),
                Ok(letter) => part.leaving.push((one.dispatch, letter)),
                Err(_) => {}
            }
        }
        Ok(part)
    }
}

/// Asks for the part whose turn it is now that this one has arrived. Members of audiences ask for the next themselves.
async fn ask_on(
    unit: &mut dyn ScheduleUnit,
    of: &Communication,
    arrived: i64,
    now: Instant,
) -> Result<(), StoreError> {
    let Recipients::Customers(ids) = &of.plan.recipients else {
        return Ok(());
    };
    let names = of.plan.message.names(&of.plan.channels);
    let names = names.map_err(|_| StoreError::Corrupt("message of a communication"))?;
    let asked = emit::ask(of, names.into_iter().collect());
    match part(ids, arrived + AT_ONCE, asked) {
        Some(next) => emit::due(unit, now, of, next).await,
        None => Ok(()),
    }
}

/// Ends an occurrence of which all recipients have arrived and nothing waits; answers whether it did.
pub fn end_if_done(
    communication: &mut Communication,
    occurrence: &mut Occurrence,
    waiting: i64,
    now: Instant,
) -> bool {
    if waiting > 0 || !occurrence.has_all() || occurrence.ended_at.is_some() {
        return false;
    }
    let state = match occurrence.state {
        CommunicationState::Failed => CommunicationState::Failed,
        _ => CommunicationState::Completed,
    };
    occurrence.end(state, now);
    communication.end_occurrence(state, now);
    true
}

/// Leaves out the recipients that are there already; who has an address that was written to gets nothing more.
async fn keep_new(
    unit: &mut dyn ScheduleUnit,
    of: &Communication,
    all: &mut Vec<Decided>,
) -> Result<(), StoreError> {
    let ids: Vec<DispatchId> = all.iter().map(|one| one.dispatch.clone()).collect();
    let there = unit.recipients().get(&of.workspace, &ids).await?;
    let mut there: BTreeSet<DispatchId> = there.into_iter().map(|one| one.dispatch).collect();
    all.retain(|one| there.insert(one.dispatch.clone()));
    let mut known: BTreeSet<(Channel, String)> = BTreeSet::new();
    for channel in &of.plan.channels {
        let addresses = all.iter().filter(|one| one.dispatch.channel == *channel);
        let addresses: Vec<String> = addresses.filter_map(|one| one.address.clone()).collect();
        let occurrence = of.occurrence;
        let written = unit
            .recipients()
            .known_addresses(of.id, occurrence, *channel, &addresses)
            .await?;
        known.extend(written.into_iter().map(|address| (*channel, address)));
    }
    skip_repeated(all, &mut known);
    Ok(())
}
