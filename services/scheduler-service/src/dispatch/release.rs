//! Lets leave what waited.

use std::{collections::BTreeMap, sync::Arc};

use chrono::SubsecRound;
use domain::{
    scheduling::{Communication, DispatchId, Lane, Recipient, RecipientStatus},
    shared::{CommunicationId, Instant, WorkspaceId},
};
use kernel::AppError;
use ports::{
    Clock, SecretVault, StoreError, crash,
    scheduling::{ScheduleQueries, ScheduleStore, ScheduleUnit, Waiting},
};

use super::{
    Signals,
    decide::{Letter, held_until},
    emit, letters,
    resolved::end_if_done,
};

/// Communications that have their turn in one round.
const LANES: i64 = 100;
/// Dispatches of one communication in its turn: no communication keeps others waiting for more than that.
const TURN: i64 = 1_000;
/// Why a dispatch failed whose content cannot be decrypted any more.
const UNREADABLE: &str = "unreadable_content";

/// Lets leave what waited for quiet hours to end, for its turn in a rate, or for its communication to be resumed.
#[derive(Clone)]
pub struct ReleaseWaiting {
    pub store: Arc<dyn ScheduleStore>,
    pub queries: Arc<dyn ScheduleQueries>,
    pub vault: Arc<dyn SecretVault>,
    pub clock: Arc<dyn Clock>,
    pub signals: Signals,
}

/// What becomes of dispatches whose turn it is.
#[derive(Default)]
struct Turn {
    changed: Vec<(Recipient, RecipientStatus)>,
    leaving: Vec<(DispatchId, Letter)>,
    held: Vec<Waiting>,
    done: Vec<DispatchId>,
}

impl ReleaseWaiting {
    /// Gives each communication a turn of which something may leave; answers how many had one.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "communication.release", level = "debug", skip_all)]
    pub async fn round(&self) -> Result<usize, AppError> {
        let now = self.clock.now().trunc_subsecs(3);
        let mut turns = 0;
        for (workspace, id) in self.queries.due_lanes(now, LANES).await? {
            turns += usize::from(self.turn(&workspace, id, now).await?);
        }
        Ok(turns)
    }

    /// `false` where another process has the communication in hand.
    async fn turn(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        now: Instant,
    ) -> Result<bool, AppError> {
        let mut unit = self.store.begin_schedule().await?;
        let Some(mut communication) = unit.communications().take(workspace, id).await? else {
            return Ok(false);
        };
        let Some(mut lane) = unit.lanes().get(id).await? else {
            return Ok(false);
        };
        if lane.due_at.is_none_or(|due| due > now) {
            return Ok(false);
        }
        let number = lane.occurrence;
        let occurrence = unit.communications().occurrence(id, number).await?;
        let mut occurrence = occurrence.ok_or(StoreError::Corrupt("no occurrence"))?;
        let rate = communication.plan.rate_per_minute;
        let count = lane.allowance(rate, now, TURN);
        let ready = unit.lanes().ready(id, now, count).await?;
        let turn = self
            .decide(unit.as_mut(), &communication, &lane, ready, now)
            .await?;
        unit.recipients().save(&turn.changed).await?;
        let of = (&communication, occurrence.scheduled_for);
        emit::dispatches(unit.as_mut(), now, of, turn.leaving).await?;
        unit.lanes().remove(&turn.done).await?;
        unit.lanes().add(&turn.held).await?;
        let earliest = unit.lanes().earliest(id).await?;
        let done = i64::try_from(turn.done.len()).unwrap_or(i64::MAX);
        lane.left(done, rate, earliest, now);
        if earliest.is_none() {
            lane.waiting = 0;
        }
        unit.lanes().save(&lane).await?;
        if end_if_done(&mut communication, &mut occurrence, lane.waiting, now) {
            emit::recycling(unit.as_mut(), now, &communication, &occurrence).await?;
            unit.communications().save_occurrence(&occurrence).await?;
            let changed = std::slice::from_ref(&communication);
            unit.communications().save(changed).await?;
            emit::usage(unit.as_mut(), now, &communication).await?;
        }
        crash::point("communication.releasing");
        unit.commit().await?;
        crash::point("communication.released");
        self.signals.planned();
        Ok(true)
    }

    /// What may leave does, unless quiet hours have begun meanwhile.
    async fn decide(
        &self,
        unit: &mut dyn ScheduleUnit,
        of: &Communication,
        lane: &Lane,
        ready: Vec<Waiting>,
        now: Instant,
    ) -> Result<Turn, StoreError> {
        let ids: Vec<DispatchId> = ready.iter().map(|one| one.dispatch.clone()).collect();
        let recipients = unit.recipients().get(&of.workspace, &ids).await?;
        let recipients = recipients
            .into_iter()
            .map(|one| (one.dispatch.clone(), one));
        let mut recipients: BTreeMap<DispatchId, Recipient> = recipients.collect();
        let mut turn = Turn::default();
        for mut one in ready {
            // Nobody is written to who is not there any more.
            let Some(mut recipient) = recipients.remove(&one.dispatch) else {
                turn.done.push(one.dispatch);
                continue;
            };
            let before = recipient.status;
            recipient.updated_at = now;
            recipient.held_until = held_until(of, &lane.rules, one.dispatch.channel, one.zone, now);
            if let Some(until) = recipient.held_until {
                recipient.status = RecipientStatus::Held;
                one.release_at = until;
                turn.held.push(one);
            } else {
                match letters::open(self.vault.as_ref(), of.id, &one.sealed) {
                    Some(letter) => {
                        recipient.status = RecipientStatus::Dispatched;
                        recipient.counted_at = of.plan.is_bound().then_some(now);
                        turn.leaving.push((one.dispatch.clone(), letter));
                    }
                    None => {
                        tracing::error!(dispatch = %one.dispatch, "what waited cannot be decrypted");
                        recipient.status = RecipientStatus::Failed;
                        recipient.reason = Some(UNREADABLE.to_owned());
                    }
                }
                turn.done.push(one.dispatch);
            }
            turn.changed.push((recipient, before));
        }
        Ok(turn)
    }
}
