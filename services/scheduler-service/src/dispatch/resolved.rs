//! Sends to recipients that were found.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::SubsecRound;
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, Compiled, Content, DispatchId, Recipient, RecipientKey,
        RecipientStatus, SkipReason,
    },
    shared::{CommunicationId, Instant, WorkspaceId},
};
use events::v1;
use ports::{
    Clock, SecretVault, StoreError,
    bus::Receipt,
    crash,
    scheduling::{NewRecipient, ScheduleStore, ScheduleUnit},
};

use super::{Signals, emit};

/// Sends to recipients that were found.
#[derive(Clone)]
pub struct DispatchResolved {
    pub store: Arc<dyn ScheduleStore>,
    pub vault: Arc<dyn SecretVault>,
    pub clock: Arc<dyn Clock>,
    pub signals: Signals,
}

/// A recipient of a channel, and what leaves for it.
struct Dispatch {
    new: NewRecipient,
    leaves: Option<(String, Content)>,
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
        let all = self.dispatches(&communication, &found, now)?;
        let all = without_repeated(unit.as_mut(), &communication, all).await?;
        for batch in all.chunks(1_000) {
            let new: Vec<NewRecipient> = batch.iter().map(|one| one.new.clone()).collect();
            unit.recipients().add(workspace, &new).await?;
        }
        for one in all {
            let Some((address, content)) = one.leaves else {
                continue;
            };
            let when = (&one.new.recipient.dispatch, occurrence.scheduled_for);
            let unit = unit.as_mut();
            emit::dispatch(unit, now, &communication, when, Some(address), content).await?;
        }
        let version = communication.version;
        if occurrence.arrive(found.parts, now) {
            let failed = found.error_code.is_some();
            let state = match failed {
                true => CommunicationState::Failed,
                false => CommunicationState::Completed,
            };
            occurrence.state = state;
            communication.end_occurrence(state, now);
        } else {
            communication.dispatches(now);
        }
        unit.communications().save_occurrence(&occurrence).await?;
        if communication.version != version {
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

    /// What becomes of each recipient on each channel.
    fn dispatches(
        &self,
        of: &Communication,
        found: &v1::RecipientsResolved,
        now: Instant,
    ) -> Result<Vec<Dispatch>, StoreError> {
        let mut said: BTreeMap<Channel, Compiled> = BTreeMap::new();
        for channel in &of.plan.channels {
            let compiled = of.plan.message.compile(*channel);
            let compiled = compiled.map_err(|_| StoreError::Corrupt("message"))?;
            said.extend(compiled.map(|compiled| (*channel, compiled)));
        }
        let mut all = Vec::new();
        for recipient in &found.recipients {
            let key = RecipientKey::parse(&recipient.key);
            let key = key.map_err(|_| StoreError::Corrupt("key of a recipient"))?;
            for route in &recipient.routes {
                let corrupt = |()| StoreError::Corrupt("channel of a recipient");
                let channel: Channel = route.channel.parse().map_err(corrupt)?;
                let dispatch = DispatchId {
                    communication: of.id,
                    occurrence: found.occurrence,
                    channel,
                    recipient: key.clone(),
                };
                let content = said
                    .get(&channel)
                    .and_then(|said| said.render(&recipient.values));
                let mut one = dispatched(dispatch, route, content, now);
                // No address is kept: two of a communication can be compared, and no more.
                let address = one.leaves.as_ref();
                let address = address.map(|(address, _)| format!("{channel} {address}"));
                let purpose = format!("address:{}", of.id);
                one.new.address = address.map(|text| self.vault.pseudonym(&purpose, &text));
                all.push(one);
            }
        }
        Ok(all)
    }
}

fn dispatched(
    dispatch: DispatchId,
    route: &v1::Route,
    content: Option<Content>,
    now: Instant,
) -> Dispatch {
    let (leaves, reason): (Option<(String, Content)>, _) =
        match (&route.skipped, &route.address, content) {
            (Some(reason), _, _) => (None, Some(reason.clone())),
            (None, None, _) => (None, Some(SkipReason::NoAddress.to_string())),
            (None, Some(_), None) => (None, Some(SkipReason::MissingValue.to_string())),
            (None, Some(address), Some(content)) => (Some((address.clone(), content)), None),
        };
    let status = match leaves {
        Some(_) => RecipientStatus::Dispatched,
        None => RecipientStatus::Skipped,
    };
    let recipient = Recipient {
        dispatch,
        status,
        reason,
        provider_id: None,
        updated_at: now,
    };
    Dispatch {
        new: NewRecipient {
            recipient,
            address: None,
        },
        leaves,
    }
}

/// The recipients that are not there yet; who has an address that was written to gets nothing more.
async fn without_repeated(
    unit: &mut dyn ScheduleUnit,
    of: &Communication,
    all: Vec<Dispatch>,
) -> Result<Vec<Dispatch>, StoreError> {
    let ids: Vec<DispatchId> = all
        .iter()
        .map(|one| one.new.recipient.dispatch.clone())
        .collect();
    let there = unit.recipients().get(&of.workspace, &ids).await?;
    let mut there: BTreeSet<DispatchId> = there.into_iter().map(|one| one.dispatch).collect();
    let mut known: BTreeSet<(Channel, String)> = BTreeSet::new();
    for channel in &of.plan.channels {
        let addresses = all
            .iter()
            .filter(|one| one.new.recipient.dispatch.channel == *channel);
        let addresses: Vec<String> = addresses
            .filter_map(|one| one.new.address.clone())
            .collect();
        let occurrence = of.occurrence;
        let written = unit
            .recipients()
            .known_addresses(of.id, occurrence, *channel, &addresses)
            .await?;
        known.extend(written.into_iter().map(|address| (*channel, address)));
    }
    let mut kept = Vec::with_capacity(all.len());
    for mut one in all {
        let recipient = &mut one.new.recipient;
        if !there.insert(recipient.dispatch.clone()) {
            continue;
        }
        if let Some(address) = &one.new.address
            && !known.insert((recipient.dispatch.channel, address.clone()))
        {
            recipient.status = RecipientStatus::Skipped;
            recipient.reason = Some(SkipReason::Duplicate.to_string());
            one.new.address = None;
            one.leaves = None;
        }
        kept.push(one);
    }
    Ok(kept)
}
