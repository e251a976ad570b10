//! What becomes of each recipient, as far as it is known when they are found.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    customer::Channel,
    scheduling::{
        Communication, Compiled, Content, DispatchId, QuietHours, RecipientKey, SkipReason,
    },
    shared::Instant,
    workspace::{FrequencyCap, SendingRules, TimeZone},
};
use events::v1;
use ports::{SecretVault, StoreError};
use serde::{Deserialize, Serialize};

/// What leaves for somebody. Personal: it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// Where to.
    pub address: String,
    /// What it says.
    pub content: Content,
}

/// One recipient on one channel.
pub struct Decided {
    /// The dispatch.
    pub dispatch: DispatchId,
    /// What leaves, unless it is skipped.
    pub letter: Result<Letter, String>,
    /// A pseudonym of the address, where something leaves.
    pub address: Option<String>,
    /// Where its clock is.
    pub zone: TimeZone,
    /// Until when it is held, where it is.
    pub held_until: Option<Instant>,
}

impl Decided {
    /// Nothing leaves.
    pub fn skip(&mut self, reason: SkipReason) {
        self.letter = Err(reason.to_string());
        (self.address, self.held_until) = (None, None);
    }
}

/// A communication whose recipients are found.
pub struct Deciding<'a> {
    of: &'a Communication,
    said: BTreeMap<Channel, Compiled>,
    rules: SendingRules,
    zone: TimeZone,
}

impl<'a> Deciding<'a> {
    /// What a communication says, and what binds it where these recipients were found.
    ///
    /// # Errors
    /// `Corrupt` where its message, or a rule of the workspace, cannot be read.
    pub fn new(of: &'a Communication, found: &v1::RecipientsResolved) -> Result<Self, StoreError> {
        let mut said: BTreeMap<Channel, Compiled> = BTreeMap::new();
        for channel in &of.plan.channels {
            let compiled = of.plan.message.compile(*channel);
            let compiled = compiled.map_err(|_| StoreError::Corrupt("message"))?;
            said.extend(compiled.map(|compiled| (*channel, compiled)));
        }
        let rules = found.sending_rules.as_deref();
        let rules = rules.map_or(Ok(SendingRules::default()), serde_json::from_str);
        Ok(Self {
            of,
            said,
            rules: rules.map_err(|_| StoreError::Corrupt("rules of a workspace"))?,
            zone: zone(Some(&found.zone))?.unwrap_or(TimeZone::UTC),
        })
    }

    /// The rules of the workspace.
    pub const fn rules(&self) -> &SendingRules {
        &self.rules
    }

    /// The frequency cap that holds for it.
    pub fn cap(&self) -> Option<FrequencyCap> {
        self.rules.frequency_cap.filter(|_| self.of.plan.is_bound())
    }

    /// Until when something is held that would leave on a channel for somebody in a zone.
    pub fn held_until(&self, channel: Channel, zone: TimeZone, at: Instant) -> Option<Instant> {
        held_until(self.of, &self.rules, channel, zone, at)
    }

    /// What becomes of each recipient on each channel, at an instant.
    ///
    /// # Errors
    /// `Corrupt` where a member cannot be read.
    pub fn all(
        &self,
        found: &v1::RecipientsResolved,
        vault: &dyn SecretVault,
        at: Instant,
    ) -> Result<Vec<Decided>, StoreError> {
        let mut all = Vec::new();
        // No address is kept: two of a communication can be compared, and no more.
        let purpose = format!("address:{}", self.of.id);
        for recipient in &found.recipients {
            let key = RecipientKey::parse(&recipient.key);
            let key = key.map_err(|_| StoreError::Corrupt("key of a recipient"))?;
            let zone = zone(recipient.zone.as_deref())?.unwrap_or(self.zone);
            for route in &recipient.routes {
                let corrupt = |()| StoreError::Corrupt("channel of a recipient");
                let channel: Channel = route.channel.parse().map_err(corrupt)?;
                let content = self.said.get(&channel);
                let content = content.and_then(|said| said.render(&recipient.values));
                let letter = letter(route, content);
                let address = letter.as_ref().ok();
                let address = address.map(|letter| format!("{channel} {}", letter.address));
                let held = letter.as_ref().ok();
                let held = held.and_then(|_| self.held_until(channel, zone, at));
                all.push(Decided {
                    dispatch: DispatchId {
                        communication: self.of.id,
                        occurrence: found.occurrence,
                        channel,
                        recipient: key.clone(),
                    },
                    address: address.map(|text| vault.pseudonym(&purpose, &text)),
                    letter,
                    zone,
                    held_until: held,
                });
            }
        }
        Ok(all)
    }
}

/// Until when something of a communication is held that would leave on a channel for somebody in a zone.
pub fn held_until(
    of: &Communication,
    rules: &SendingRules,
    channel: Channel,
    zone: TimeZone,
    at: Instant,
) -> Option<Instant> {
    let respects = of.plan.is_bound() && of.plan.quiet_hours == QuietHours::Respect;
    respects
        .then(|| rules.held_until(channel, zone, at))
        .flatten()
}

fn zone(name: Option<&str>) -> Result<Option<TimeZone>, StoreError> {
    let corrupt = |_| StoreError::Corrupt("zone of a recipient");
    let name = name.filter(|name| !name.is_empty());
    name.map(str::parse).transpose().map_err(corrupt)
}

fn letter(route: &v1::Route, content: Option<Content>) -> Result<Letter, String> {
    match (&route.skipped, &route.address, content) {
        (Some(reason), _, _) => Err(reason.clone()),
        (None, None, _) => Err(SkipReason::NoAddress.to_string()),
        (None, Some(_), None) => Err(SkipReason::MissingValue.to_string()),
        (None, Some(address), Some(content)) => Ok(Letter {
            address: address.clone(),
            content,
        }),
    }
}

/// Skips who has an address that was written to: `known` are those, by channel, and grows.
pub fn skip_repeated(all: &mut [Decided], known: &mut BTreeSet<(Channel, String)>) {
    for one in all {
        if let Some(address) = &one.address
            && !known.insert((one.dispatch.channel, address.clone()))
        {
            one.skip(SkipReason::Duplicate);
        }
    }
}

/// Skips who got as much lately as the workspace allows, given how much each got.
pub fn skip_capped(
    all: &mut [Decided],
    mut got: BTreeMap<RecipientKey, i64>,
    FrequencyCap { count, .. }: FrequencyCap,
) {
    for one in all.iter_mut().filter(|one| one.letter.is_ok()) {
        let got = got.entry(one.dispatch.recipient.clone()).or_default();
        if *got >= i64::from(count) {
            one.skip(SkipReason::FrequencyCap);
        } else {
            *got += 1;
        }
    }
}
