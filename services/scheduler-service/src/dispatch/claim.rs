//! Takes communications whose instant has come.

use std::sync::Arc;

use chrono::SubsecRound;
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, DispatchId, Occurrence, Recipient, RecipientKey,
        RecipientStatus, Recipients,
    },
    shared::Instant,
};
use events::v1::CommunicationDue;
use kernel::AppError;
use ports::{
    Clock, StoreError, crash,
    scheduling::{NewRecipient, ScheduleStore, ScheduleUnit},
};

use super::{Signals, emit};

/// Communications that are taken in one transaction.
const BATCH: i64 = 200;
/// Customers of a part.
pub const PART: usize = 1_000;
/// Parts of one communication that are on their way at once: no communication keeps others waiting for more than
/// these.
pub const AT_ONCE: i64 = 8;

/// Takes communications whose instant has come. With its events each is taken in one transaction: whatever ends
/// the process, it has been taken with them or waits.
#[derive(Clone)]
pub struct ClaimDue {
    pub store: Arc<dyn ScheduleStore>,
    pub clock: Arc<dyn Clock>,
    pub signals: Signals,
}

impl ClaimDue {
    fn now(&self) -> Instant {
        self.clock.now().trunc_subsecs(3)
    }

    /// Takes the first communications that are due; answers how many.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "communication.claim", level = "debug", skip_all)]
    pub async fn batch(&self) -> Result<usize, AppError> {
        let now = self.now();
        let mut unit = self.store.begin_schedule().await?;
        let found = unit.communications().due(now, BATCH).await?;
        let taken = found.ready.len() + found.unreadable.len();
        if taken == 0 {
            return Ok(0);
        }
        let unreadable = &found.unreadable;
        unit.communications().give_up(unreadable, now).await?;
        let mut due = found.ready;
        let mut occurrences = Vec::with_capacity(due.len());
        for communication in &mut due {
            let scheduled_for = communication.due_at;
            if communication.claim(now) {
                let occurrence = self
                    .take(unit.as_mut(), communication, scheduled_for, now)
                    .await?;
                occurrences.push(occurrence);
            } else {
                occurrences.push(communication.occurred(scheduled_for, now));
                emit::usage(unit.as_mut(), now, communication).await?;
            }
        }
        unit.communications().occur(&occurrences).await?;
        unit.communications().save(&due).await?;
        crash::point("communication.claiming");
        unit.commit().await?;
        crash::point("communication.claimed");
        self.signals.left();
        Ok(taken)
    }

    /// Asks for the recipients of one that was claimed.
    async fn take(
        &self,
        unit: &mut dyn ScheduleUnit,
        of: &mut Communication,
        scheduled_for: Instant,
        now: Instant,
    ) -> Result<Occurrence, AppError> {
        let mut occurrence = of.occurred(scheduled_for, now);
        let names = of.plan.message.names(&of.plan.channels);
        let names = names.map_err(|_| StoreError::Corrupt("message of a communication"))?;
        let asked = emit::ask(of, names.into_iter().collect());
        match of.plan.recipients.clone() {
            Recipients::Broadcast => {
                broadcast(unit, of, &mut occurrence, now).await?;
            }
            Recipients::Audience(audience) => {
                let mut data = asked;
                data.audience_id = Some(audience.to_string());
                emit::due(unit, now, of, data).await?;
            }
            Recipients::Customers(ids) => {
                occurrence.parts = i64::try_from(ids.chunks(PART).len()).ok();
                for number in 0..AT_ONCE {
                    if let Some(data) = part(&ids, number, asked.clone()) {
                        emit::due(unit, now, of, data).await?;
                    }
                }
            }
        }
        Ok(occurrence)
    }
}

/// The question for a part of the customers of a communication; `None` behind the last.
pub fn part(ids: &[i64], number: i64, asked: CommunicationDue) -> Option<CommunicationDue> {
    let mut parts = ids.chunks(PART);
    let count = i64::try_from(parts.len()).ok();
    let customers = parts.nth(usize::try_from(number).ok()?)?;
    Some(CommunicationDue {
        part: number,
        parts: count,
        customers: customers.to_vec(),
        ..asked
    })
}

/// Sends to everybody who receives pushes: there is nobody to be found.
async fn broadcast(
    unit: &mut dyn ScheduleUnit,
    of: &mut Communication,
    occurrence: &mut Occurrence,
    now: Instant,
) -> Result<(), AppError> {
    let corrupt = || StoreError::Corrupt("message of a communication");
    let said = of.plan.message.compile(Channel::Push);
    let said = said.ok().flatten().ok_or_else(corrupt)?;
    let dispatch = DispatchId {
        communication: of.id,
        occurrence: of.occurrence,
        channel: Channel::Push,
        recipient: RecipientKey::everybody(),
    };
    // Nobody's values: without a default there is nothing to say.
    let content = said.render(&std::collections::BTreeMap::new());
    let status = match &content {
        Some(_) => RecipientStatus::Dispatched,
        None => RecipientStatus::Skipped,
    };
    let recipient = Recipient {
        dispatch: dispatch.clone(),
        status,
        reason: content
            .is_none()
            .then(|| domain::scheduling::SkipReason::MissingValue.to_string()),
        provider_id: None,
        held_until: None,
        counted_at: None,
        updated_at: now,
    };
    let new = NewRecipient {
        recipient,
        address: None,
    };
    unit.recipients().add(&of.workspace, &[new]).await?;
    if let Some(content) = content {
        let when = (&dispatch, occurrence.scheduled_for);
        let event = emit::dispatch(now, of, when, None, content)?;
        unit.outbox().add(event, now).await?;
    }
    occurrence.arrive(Some(1));
    occurrence.end(CommunicationState::Completed, now);
    // The version grows once with each save.
    let version = of.version;
    of.end_occurrence(CommunicationState::Completed, now);
    of.version = version;
    Ok(())
}
