//! When audiences are refreshed by themselves.

use std::fmt;

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::{Audience, AudienceStatus, AudienceType};
use crate::{
    scheduling::{Cron, CronError},
    shared::{AudienceId, Instant},
};

/// When audiences that follow their data are refreshed in full.
const NIGHTLY: (&str, Tz) = ("0 3 * * *", Tz::America__Sao_Paulo);
/// Over how many seconds they are spread.
const SPREAD_SECONDS: u32 = 3_600;

/// The times at which an audience is refreshed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTimes {
    cron: Cron,
    /// How much later than the expression says.
    delay: TimeDelta,
}

impl RefreshTimes {
    /// The first time strictly after an instant, if there is one.
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        Some(self.cron.next_after(at - self.delay)? + self.delay)
    }
}

impl fmt::Display for RefreshTimes {
    /// The same text for the same times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cron, delay) = (&self.cron, self.delay.num_seconds());
        write!(f, "{cron} {} +{delay}s", cron.zone())
    }
}

impl Audience {
    /// Whether it is refreshed by itself: it has conditions, is neither a draft nor dropped, and its type
    /// has times.
    pub fn refreshes_by_itself(&self) -> bool {
        let in_use = self.is_visible()
            && self.deleted_at.is_none()
            && self.status != AudienceStatus::Draft
            && self.definition.is_segment();
        in_use && self.definition.audience_type != AudienceType::Static {}
    }

    /// When it is refreshed by itself, if it is: a live one once a night, each at another minute.
    ///
    /// # Errors
    /// When its cron expression is none.
    pub fn refresh_times(&self) -> Result<Option<RefreshTimes>, CronError> {
        if !self.refreshes_by_itself() {
            return Ok(None);
        }
        let (cron, delay) = match &self.definition.audience_type {
            AudienceType::Static {} => return Ok(None),
            AudienceType::Scheduled { cron, timezone } => {
                (Cron::parse(cron, *timezone)?, TimeDelta::zero())
            }
            AudienceType::Live { .. } => (Cron::parse(NIGHTLY.0, NIGHTLY.1)?, spread(self.id)),
        };
        Ok(Some(RefreshTimes { cron, delay }))
    }

    /// When it is refreshed by itself for the first time after an instant, if it is.
    ///
    /// # Errors
    /// When its cron expression is none.
    pub fn next_refresh(&self, after: Instant) -> Result<Option<Instant>, CronError> {
        let times = self.refresh_times()?;
        Ok(times.and_then(|times| times.next_after(after)))
    }
}

/// A part of the hour, by a hash of the id: the ends of ids are alike.
fn spread(id: AudienceId) -> TimeDelta {
    let mixed = id.raw().cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let seconds = mixed % u64::from(SPREAD_SECONDS);
    TimeDelta::seconds(seconds.cast_signed())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::{
        audience::{Definition, Source},
        shared::{AudienceName, UserId, WorkspaceId},
    };

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn audience(id: i64, audience_type: AudienceType) -> Audience {
        let owner = (
            WorkspaceId::parse("w").unwrap(),
            UserId::parse("u").unwrap(),
        );
        let name = AudienceName::parse("a").unwrap();
        let definition = Definition {
            groups: vec![json!({})],
            audience_type,
            ..Definition::default()
        };
        let now = at("2026-01-01T00:00:00Z");
        Audience::new(AudienceId::from_raw(id), owner, name, Source::Api, now).defined(definition)
    }

    fn scheduled(cron: &str) -> AudienceType {
        AudienceType::Scheduled {
            cron: cron.to_owned(),
            timezone: Tz::America__Sao_Paulo,
        }
    }

    const LIVE: AudienceType = AudienceType::Live {
        refresh_minutes: None,
    };

    #[test]
    fn a_scheduled_one_is_refreshed_on_time() {
        let made = audience(1, scheduled("0 6 * * *"));
        let next = made.next_refresh(at("2026-11-30T09:00:00Z")).unwrap();
        assert_eq!(next, Some(at("2026-12-01T09:00:00Z")));
        let broken = audience(1, scheduled("0 6 * *"));
        assert_eq!(broken.refresh_times(), Err(CronError::Malformed));
    }

    #[test]
    fn only_segments_that_are_in_use_have_times() {
        let now = at("2026-11-30T09:00:00Z");
        let none = |audience: &Audience| {
            assert!(!audience.refreshes_by_itself());
            assert_eq!(audience.next_refresh(now), Ok(None));
        };
        none(&audience(1, AudienceType::Static {}));
        let mut made = audience(1, scheduled("0 6 * * *"));
        none(&made.clone().hidden());
        made.pass_to(AudienceStatus::Draft, now);
        none(&made);
        made.pass_to(AudienceStatus::Failed, now);
        assert!(made.refreshes_by_itself());
        made.drop_at(now);
        none(&made);
        made.restore(now);
        assert!(made.refreshes_by_itself());
        let list = Definition {
            audience_type: LIVE,
            ..Definition::default()
        };
        made.define(list, now);
        none(&made);
    }

    #[test]
    fn live_ones_are_spread_over_an_hour_of_the_night() {
        let (begin, end) = (at("2026-12-01T06:00:00Z"), at("2026-12-01T07:00:00Z"));
        let mut minutes = BTreeSet::new();
        for n in 0..1_000 {
            // As ids are: milliseconds, and little else.
            let made = audience((1_700_000_000_000 + n * 977) << 22, LIVE);
            let next = made.next_refresh(begin - TimeDelta::milliseconds(1));
            let next = next.unwrap().unwrap();
            assert!((begin..end).contains(&next), "{next}");
            let following = made.next_refresh(next).unwrap().unwrap();
            assert_eq!(following, next + TimeDelta::days(1));
            minutes.insert((next - begin).num_minutes());
        }
        assert!(minutes.len() > 55, "{minutes:?}");
    }

    #[test]
    fn equal_times_have_equal_texts() {
        let text = |audience: &Audience| audience.refresh_times().unwrap().unwrap().to_string();
        let six = audience(1, scheduled("0 6 * * *"));
        assert_eq!(text(&six), "0 6 * * * America/Sao_Paulo +0s");
        assert_eq!(text(&six), text(&audience(2, scheduled("0 6 * * *"))));
        assert_ne!(text(&audience(1, LIVE)), text(&audience(3, LIVE)));
    }
}
