//! What will happen to a communication, before it does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{SubsecRound, TimeDelta};
use domain::{
    customer::Channel,
    scheduling::{Communication, CommunicationState, Plan, RecipientKey, Recipients, SkipReason},
    shared::{CommunicationId, Instant},
};
use events::v1::{CommunicationDue, RecipientsResolved};
use kernel::{Actor, AppError, directory::RecipientSource};
use ports::{Clock, SecretVault, StoreError, scheduling::ScheduleQueries};

use super::check::CheckPlan;
use crate::dispatch::{
    PART,
    decide::{Decided, Deciding, skip_capped, skip_repeated},
    emit,
};

/// Parts that are looked at: those of the largest communication that names its customers.
const PARTS: usize = 100;
/// Instants until which dispatches are held that a preview names.
const HELD: usize = 50;

/// What happens on one channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ChannelOutlook {
    /// Dispatches that leave at the instant, or as soon as their turn comes.
    pub dispatches: i64,
    /// Dispatches that quiet hours hold.
    pub held: i64,
    /// Recipients who get nothing, by reason.
    pub skipped: BTreeMap<String, i64>,
}

/// What will happen to a communication, as things are now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// When its next occurrence begins.
    pub starts_at: Instant,
    /// Recipients, each once whatever the channels.
    pub recipients: i64,
    /// By channel.
    pub channels: BTreeMap<Channel, ChannelOutlook>,
    /// How many dispatches are held until when.
    pub held: BTreeMap<Instant, i64>,
    /// When the last dispatch leaves, as far as is known.
    pub estimated_end: Instant,
    /// Whether that is all: only the first 100,000 recipients are looked at.
    pub complete: bool,
    /// Why recipients cannot be found, where they cannot.
    pub error: Option<String>,
}

impl Outlook {
    /// Recipients who get nothing as somebody else has their address.
    pub fn duplicates(&self) -> i64 {
        let reason = SkipReason::Duplicate.to_string();
        let of = |channel: &ChannelOutlook| channel.skipped.get(&reason).copied();
        self.channels.values().filter_map(of).sum()
    }

    fn count(&mut self, one: &Decided) {
        let channel = self.channels.entry(one.dispatch.channel).or_default();
        match (&one.letter, one.held_until) {
            (Err(reason), _) => *channel.skipped.entry(reason.clone()).or_default() += 1,
            (Ok(_), None) => channel.dispatches += 1,
            (Ok(_), Some(until)) => {
                channel.held += 1;
                if self.held.len() < HELD || self.held.contains_key(&until) {
                    *self.held.entry(until).or_default() += 1;
                }
                self.estimated_end = self.estimated_end.max(until);
            }
        }
    }

    /// What a rate makes of it.
    fn pace(&mut self, rate_per_minute: Option<u32>) {
        let Some(rate) = rate_per_minute else { return };
        let all = self.channels.values();
        let all: i64 = all.map(|channel| channel.dispatches + channel.held).sum();
        let takes = all.saturating_mul(60_000) / i64::from(rate.max(1));
        let paced = self.starts_at + TimeDelta::milliseconds(takes);
        self.estimated_end = self.estimated_end.max(paced);
    }
}

/// Sees what will happen. Nothing is stored, and nothing leaves.
#[derive(Clone)]
pub struct PreviewCommunication {
    pub check: CheckPlan,
    pub recipients: Arc<dyn RecipientSource>,
    pub queries: Arc<dyn ScheduleQueries>,
    pub vault: Arc<dyn SecretVault>,
    pub clock: Arc<dyn Clock>,
}

impl PreviewCommunication {
    /// What would happen to a communication with this plan.
    ///
    /// # Errors
    /// `Invalid`; store errors.
    #[tracing::instrument(name = "communication.preview", skip_all)]
    pub async fn plan(&self, actor: &Actor, plan: Plan) -> Result<Outlook, AppError> {
        let now = self.clock.now().trunc_subsecs(3);
        let starts_at = self.check.due_at(actor, &plan, now).await?;
        let of = Communication {
            id: CommunicationId::from_raw(0),
            workspace: actor.workspace.clone(),
            name: String::new(),
            state: CommunicationState::Draft,
            plan,
            due_at: starts_at,
            occurrence: 1,
            in_flight: false,
            version: 1,
            created_by: actor.user.to_string(),
            created_at: now,
            updated_at: now,
        };
        let mut outlook = Outlook {
            starts_at,
            estimated_end: starts_at,
            complete: true,
            ..Outlook::default()
        };
        self.look(&of, &mut outlook).await?;
        outlook.pace(of.plan.rate_per_minute);
        Ok(outlook)
    }

    async fn look(&self, of: &Communication, outlook: &mut Outlook) -> Result<(), AppError> {
        let names = of.plan.message.names(&of.plan.channels);
        let names = names.map_err(|_| StoreError::Corrupt("message of a communication"))?;
        // Members as they are: nothing is refreshed for a preview.
        let ask = CommunicationDue {
            freshness_minutes: None,
            ..emit::ask(of, names.into_iter().collect())
        };
        let mut known = BTreeSet::new();
        match &of.plan.recipients {
            Recipients::Broadcast => {
                outlook.recipients = 1;
                let push = outlook.channels.entry(Channel::Push).or_default();
                push.dispatches = 1;
            }
            Recipients::Customers(ids) => {
                for customers in ids.chunks(PART) {
                    let ask = CommunicationDue {
                        customers: customers.to_vec(),
                        ..ask.clone()
                    };
                    let part = self.recipients.part(&of.workspace, ask).await?;
                    self.count(of, &part.found, &mut known, outlook).await?;
                }
            }
            Recipients::Audience(id) => {
                let mut next = Some(CommunicationDue {
                    audience_id: Some(id.to_string()),
                    ..ask
                });
                for _ in 0..PARTS {
                    let Some(ask) = next.take() else { break };
                    let part = self.recipients.part(&of.workspace, ask).await?;
                    self.count(of, &part.found, &mut known, outlook).await?;
                    outlook.error = part.found.error_code;
                    next = part.next;
                }
                outlook.complete = next.is_none();
            }
        }
        Ok(())
    }

    async fn count(
        &self,
        of: &Communication,
        found: &RecipientsResolved,
        known: &mut BTreeSet<(Channel, String)>,
        outlook: &mut Outlook,
    ) -> Result<(), AppError> {
        let deciding = Deciding::new(of, found)?;
        let mut all = deciding.all(found, self.vault.as_ref(), outlook.starts_at)?;
        skip_repeated(&mut all, known);
        if let Some(cap) = deciding.cap() {
            let keys: Vec<&RecipientKey> = all.iter().map(|one| &one.dispatch.recipient).collect();
            let since = outlook.starts_at - TimeDelta::days(cap.days.into());
            let got = self
                .queries
                .counted_since(&of.workspace, &keys, since)
                .await?;
            skip_capped(&mut all, got, cap);
        }
        outlook.recipients += i64::try_from(found.recipients.len()).unwrap_or(i64::MAX);
        for one in &all {
            outlook.count(one);
        }
        Ok(())
    }
}
