//! Cases of recipients.

use domain::{
    customer::Channel,
    scheduling::{DispatchId, Recipient, RecipientKey, RecipientStatus},
    shared::CommunicationId,
};
use ports::{
    StoreError,
    scheduling::{NewRecipient, RecipientFilter},
};

use super::{ScheduleHarness, add, at, begin, communication, workspace};

fn recipient(channel: Channel, key: i64, status: RecipientStatus) -> NewRecipient {
    let recipient = Recipient {
        dispatch: DispatchId {
            communication: CommunicationId::from_raw(1),
            occurrence: 1,
            channel,
            recipient: RecipientKey::customer(key),
        },
        status,
        reason: (status == RecipientStatus::Skipped).then(|| "no_address".to_owned()),
        provider_id: None,
        held_until: None,
        counted_at: (status == RecipientStatus::Dispatched).then(|| at(5)),
        updated_at: at(5),
    };
    let address = (status == RecipientStatus::Dispatched).then(|| format!("{channel} {key}"));
    NewRecipient { recipient, address }
}

async fn prepared(h: &impl ScheduleHarness) -> Vec<NewRecipient> {
    use RecipientStatus::{Dispatched, Skipped};
    add(h, &[communication(1, "w1", 9)]).await;
    let all = vec![
        recipient(Channel::Sms, 1, Dispatched),
        recipient(Channel::Sms, 2, Dispatched),
        recipient(Channel::Email, 1, Skipped),
    ];
    let mut unit = begin(h).await;
    let added = unit.recipients().add(&workspace("w1"), &all).await;
    assert_eq!(added.unwrap(), 3);
    unit.commit().await.unwrap();
    all
}

async fn counted(h: &impl ScheduleHarness, status: RecipientStatus) -> i64 {
    let id = CommunicationId::from_raw(1);
    let totals = h.queries().totals(&workspace("w1"), id, 1).await.unwrap();
    totals.of(&[status])
}

pub async fn what_counts_for_the_frequency_cap_is_of_a_workspace_and_a_time(
    h: &impl ScheduleHarness,
) {
    prepared(h).await;
    let keys = [1, 2, 3].map(RecipientKey::customer);
    let keys: Vec<&RecipientKey> = keys.iter().collect();
    for (ws, since, expected) in [("w1", 4, vec![1, 1]), ("w1", 5, vec![]), ("w2", 4, vec![])] {
        let ws = workspace(ws);
        let counted = h.queries().counted_since(&ws, &keys, at(since));
        let counted: Vec<i64> = counted.await.unwrap().into_values().collect();
        assert_eq!(counted, expected, "{ws} {since}");
    }
}

pub async fn recipients_are_added_once_and_counted(h: &impl ScheduleHarness) {
    let all = prepared(h).await;
    let mut unit = begin(h).await;
    let mut again = all.clone();
    again.push(recipient(Channel::Email, 2, RecipientStatus::Dispatched));
    let added = unit.recipients().add(&workspace("w1"), &again).await;
    assert_eq!(added.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(counted(h, RecipientStatus::Dispatched).await, 3);
    assert_eq!(counted(h, RecipientStatus::Skipped).await, 1);
    let id = CommunicationId::from_raw(1);
    let foreign = h.queries().totals(&workspace("w2"), id, 1).await.unwrap();
    assert_eq!(foreign.all(), 0);
}

pub async fn addresses_are_known_by_channel_and_occurrence(h: &impl ScheduleHarness) {
    prepared(h).await;
    let mut unit = begin(h).await;
    let asked = ["sms 1", "sms 9", "email 1"].map(str::to_owned);
    let mut recipients = unit.recipients();
    let mut known = async |occurrence, channel| {
        let id = CommunicationId::from_raw(1);
        let known = recipients
            .known_addresses(id, occurrence, channel, &asked)
            .await;
        known.unwrap()
    };
    assert_eq!(known(1, Channel::Sms).await, ["sms 1"]);
    assert_eq!(known(1, Channel::Email).await, [""; 0]);
    assert_eq!(known(2, Channel::Sms).await, [""; 0]);
}

pub async fn a_change_is_counted(h: &impl ScheduleHarness) {
    let all = prepared(h).await;
    let ids = [
        all[0].recipient.dispatch.clone(),
        recipient(Channel::Push, 1, RecipientStatus::Sent)
            .recipient
            .dispatch,
    ];
    let mut unit = begin(h).await;
    let foreign = unit.recipients().get(&workspace("w2"), &ids).await.unwrap();
    assert_eq!(foreign, []);
    let found = unit.recipients().get(&workspace("w1"), &ids).await.unwrap();
    assert_eq!(found, [all[0].recipient.clone()]);
    let mut changed = found[0].clone();
    changed.status = RecipientStatus::Failed;
    changed.reason = Some("bounced".to_owned());
    changed.provider_id = Some("p-1".to_owned());
    let before = RecipientStatus::Dispatched;
    let save = [(changed.clone(), before)];
    unit.recipients().save(&save).await.unwrap();
    let again = unit.recipients().save(&save).await;
    assert!(matches!(again, Err(StoreError::StaleVersion)));
    unit.commit().await.unwrap();
    assert_eq!(counted(h, RecipientStatus::Dispatched).await, 1);
    assert_eq!(counted(h, RecipientStatus::Failed).await, 1);
    let mut unit = begin(h).await;
    let read = unit
        .recipients()
        .get(&workspace("w1"), &ids[..1])
        .await
        .unwrap();
    assert_eq!(read, [changed]);
}

pub async fn recipients_are_listed_by_channel_and_key(h: &impl ScheduleHarness) {
    let all = prepared(h).await;
    let id = CommunicationId::from_raw(1);
    let list = async |ws: &str, filter: RecipientFilter| -> Vec<DispatchId> {
        let ws = workspace(ws);
        let found = h.queries().recipients_of(&ws, id, &filter).await.unwrap();
        found.into_iter().map(|one| one.dispatch).collect()
    };
    let filter = RecipientFilter {
        occurrence: 1,
        status: None,
        channel: None,
        after: None,
        limit: 9,
    };
    let dispatch = |n: usize| all[n].recipient.dispatch.clone();
    let (sms_1, sms_2, email) = (dispatch(0), dispatch(1), dispatch(2));
    let every = [email.clone(), sms_1.clone(), sms_2.clone()];
    assert_eq!(list("w1", filter.clone()).await, every);
    assert_eq!(list("w2", filter.clone()).await, []);
    let after = RecipientFilter {
        after: Some((Channel::Sms, RecipientKey::customer(1))),
        ..filter.clone()
    };
    assert_eq!(list("w1", after).await, std::slice::from_ref(&sms_2));
    let sms = RecipientFilter {
        channel: Some(Channel::Sms),
        limit: 1,
        ..filter.clone()
    };
    assert_eq!(list("w1", sms).await, [sms_1]);
    let skipped = RecipientFilter {
        status: Some(RecipientStatus::Skipped),
        ..filter
    };
    assert_eq!(list("w1", skipped).await, [email]);
}
