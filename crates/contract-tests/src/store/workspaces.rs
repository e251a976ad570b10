//! Cases of settings of workspaces.

use std::str::FromStr;

use chrono::NaiveTime;
use domain::{
    customer::Channel,
    segment::Notation,
    shared::{AudienceId, WorkspaceId},
    workspace::{
        ConsentRule, FrequencyCap, QuietDay, QuietWindow, SendingRules, WorkspaceSettings,
    },
};
use ports::StoreError;

use super::{StoreHarness, begin, workspace};

fn settings(zone: &str, version: i64) -> WorkspaceSettings {
    WorkspaceSettings {
        notation: Notation {
            zone: FromStr::from_str(zone).unwrap(),
            ..Notation::default()
        },
        excluded_audience: Some(AudienceId::from_raw(7)),
        member_events: true,
        consent: ConsentRule::OptIn,
        sending: SendingRules {
            quiet_hours: vec![QuietWindow {
                channel: Some(Channel::Sms),
                from: NaiveTime::from_hms_opt(21, 0, 0).unwrap(),
                to: NaiveTime::MIN,
                days: [QuietDay::Fri, QuietDay::Holiday].into(),
            }],
            frequency_cap: Some(FrequencyCap { count: 3, days: 7 }),
        },
        version,
    }
}

async fn save(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    settings: &WorkspaceSettings,
    expected: i64,
) -> Result<(), StoreError> {
    let mut uow = begin(h).await;
    uow.workspaces().save(ws, settings, expected).await?;
    assert_eq!(&uow.workspaces().settings(ws).await?, settings);
    uow.commit().await
}

async fn stored(h: &dyn StoreHarness, ws: &WorkspaceId) -> WorkspaceSettings {
    h.queries().workspace_settings(ws).await.unwrap()
}

pub async fn settings_come_back_as_they_were(h: &dyn StoreHarness) {
    let (one, two) = (workspace("w1"), workspace("w2"));
    assert_eq!(stored(h, &one).await, WorkspaceSettings::default());
    let lisbon = settings("Europe/Lisbon", 1);
    save(h, &one, &lisbon, 0).await.unwrap();
    assert_eq!(stored(h, &one).await, lisbon);
    assert_eq!(stored(h, &two).await, WorkspaceSettings::default());
    let manaus = WorkspaceSettings {
        excluded_audience: None,
        member_events: false,
        ..settings("America/Manaus", 2)
    };
    save(h, &one, &manaus, 1).await.unwrap();
    assert_eq!(stored(h, &one).await, manaus);
}

pub async fn saving_settings_needs_the_version_that_was_read(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let stale = |saved: Result<(), StoreError>| matches!(saved, Err(StoreError::StaleVersion));
    assert!(stale(save(h, &ws, &settings("Europe/Lisbon", 2), 1).await));
    save(h, &ws, &settings("Europe/Lisbon", 1), 0)
        .await
        .unwrap();
    assert!(stale(save(h, &ws, &settings("Europe/Madrid", 1), 0).await));
    assert_eq!(stored(h, &ws).await, settings("Europe/Lisbon", 1));
}
