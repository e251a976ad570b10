//! What is there: by HTTP as a user sees it, and in the stores as nobody does.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use anyhow::Context;
use api_types::{
    List, audiences::AudienceJson, contacts::ContactsJson, notifications::NotificationJson,
};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};

use crate::{
    check::{Audience, Observed},
    history::History,
    load::client::Caller,
    rig::Rig,
    servers::until,
};

/// The only event that the service listens to.
pub const FINISHED: &str = "plateia.operation.finished.v1";

/// What still moves.
const MOVING: &str = "
    SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL),
           (SELECT count(*) FROM inbox WHERE state IN ('ready', 'running')),
           (SELECT count(*) FROM operations WHERE state IN ('queued', 'running')
                AND (not_before IS NULL OR not_before <= now())),
           (SELECT count(*) FROM write_intents WHERE ended_revision IS NULL)";

async fn moving(rig: &Rig<'_>) -> anyhow::Result<[i64; 5]> {
    let row = rig.sql().await?.query_one(MOVING, &[]).await?;
    let broker = rig.broker().await?;
    let mut queued = 0;
    for queue in broker.moving() {
        queued += i64::try_from(broker.depth(&queue).await?)?;
    }
    Ok([row.get(0), row.get(1), row.get(2), row.get(3), queued])
}

/// Waits until nothing moves any more.
///
/// # Errors
/// When something still does after `patience`; says what.
pub async fn rest(rig: &Rig<'_>, patience: Duration) -> anyhow::Result<()> {
    let mut last = String::new();
    let resting = until("rest", patience, async || {
        let dead = dead(rig).await.unwrap_or_default();
        let moving = moving(rig).await;
        let is_resting = matches!(moving, Ok([0, 0, 0, 0, 0]))
            && dead >= rig.dead_expected.load(Ordering::Relaxed);
        last = format!("outbox, inbox, operations, writes, queue: {moving:?}, {dead} dead");
        is_resting
    });
    let resting = resting.await;
    resting.with_context(|| last)
}

async fn dead(rig: &Rig<'_>) -> anyhow::Result<u64> {
    let broker = rig.broker().await?;
    let queued = broker.depth(&broker.dead()).await?;
    Ok(queued + count(rig, "SELECT count(*) FROM inbox WHERE state = 'dead'").await?)
}

async fn count(rig: &Rig<'_>, sql: &str) -> anyhow::Result<u64> {
    let row = rig.sql().await?.query_one(sql, &[]).await?;
    Ok(u64::try_from(row.get::<_, i64>(0))?)
}

/// Looks at everything.
///
/// # Errors
/// When something cannot be looked at.
pub async fn observe(rig: &Rig<'_>, history: &History) -> anyhow::Result<Observed> {
    let mut seen = Observed {
        dead_expected: rig.dead_expected.load(Ordering::Relaxed),
        outbox: count(rig, "SELECT count(*) FROM outbox WHERE sent_at IS NULL").await?,
        without_lease: count(
            rig,
            "SELECT count(*) FROM operations WHERE state = 'running' AND lease_until < now()",
        )
        .await?,
        stolen: count(rig, "SELECT count(*) FROM stolen").await?,
        open_writes: count(
            rig,
            "SELECT count(*) FROM write_intents WHERE ended_revision IS NULL",
        )
        .await?,
        idle_in_transaction: idle_in_transaction(rig).await?,
        dead: dead(rig).await?,
        ..Observed::default()
    };
    let sql = rig.sql().await?;
    let rows = "SELECT id, state, kind FROM operations";
    for row in sql.query(rows, &[]).await? {
        let (number, kind): (i64, String) = (row.get(0), row.get(2));
        let id = format!("op_{number}");
        if kind == "purge" {
            seen.purges.insert(id);
        } else {
            seen.operations.insert(id, row.get(1));
        }
    }
    let events = "SELECT aggregate FROM outbox WHERE event_type = $1";
    for row in sql.query(events, &[&FINISHED]).await? {
        seen.final_events.push(row.get(0));
    }
    let listed = "SELECT id, workspace, deleted_at IS NOT NULL FROM audiences
                  WHERE visibility = 'ready'";
    let mut owners = BTreeMap::new();
    for row in sql.query(listed, &[]).await? {
        let (number, workspace): (i64, String) = (row.get(0), row.get(1));
        let mut audience = audience(rig, &format!("aud_{number}"), &workspace).await?;
        audience.dropped = row.get(2);
        owners.insert(number, workspace);
        seen.audiences.insert(format!("aud_{number}"), audience);
    }
    seen.foreign_rows = foreign_rows(rig, &owners).await?;
    for (workspace, user) in users(rig).await? {
        let caller = Caller::new(rig.target(), &workspace, &user);
        seen.notifications.extend(notifications(&caller).await?);
    }
    if rig.hears_everything {
        seen.heard = Some(heard(rig).await?);
    }
    // What a load with nothing to hear cannot show would be shown by nothing.
    if history.is_empty() {
        anyhow::bail!("nothing was acknowledged");
    }
    Ok(seen)
}

/// Sessions of the service that have been idle in a transaction for a while.
async fn idle_in_transaction(rig: &Rig<'_>) -> anyhow::Result<u64> {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'
               AND state_change < now() - interval '5 s' AND usename = current_user";
    count(rig, sql).await
}

async fn users(rig: &Rig<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let sql = "SELECT DISTINCT workspace, user_id FROM notifications";
    let rows = rig.sql().await?.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn audience(rig: &Rig<'_>, id: &str, workspace: &str) -> anyhow::Result<Audience> {
    let caller = Caller::new(rig.target(), workspace, "checker");
    let path = format!("/api/v1/audiences/{id}");
    let about: AudienceJson = caller.must_get(&path).await?;
    let mut audience = Audience {
        workspace: workspace.to_owned(),
        count: u64::try_from(about.contacts).context("the count")?,
        ..Audience::default()
    };
    let mut cursor = String::new();
    loop {
        let path = format!("{path}/contacts?limit=1000{cursor}");
        let page: ContactsJson = caller.must_get(&path).await?;
        let contacts = page.data.into_iter();
        let contacts = contacts.map(|c| (c.document, c.name.unwrap_or_default()));
        audience.walked.extend(contacts);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    // They may be behind the last writes, and reading all of them takes its time.
    let expected = audience.walked.len();
    let pages = until("the pages", Duration::from_secs(60), async || {
        audience.paged = paged(&caller, &path).await.unwrap_or_default();
        audience.paged.len() == expected
    });
    // What is missing is for the checker to say.
    let _ = pages.await;
    Ok(audience)
}

async fn paged(caller: &Caller, path: &str) -> anyhow::Result<Vec<String>> {
    let mut documents = Vec::new();
    for number in 1.. {
        let path = format!("{path}/contacts?page={number}&per_page=500");
        let page: ContactsJson = caller.must_get(&path).await?;
        let is_last = page.data.len() < 500;
        documents.extend(page.data.into_iter().map(|contact| contact.document));
        if is_last {
            break;
        }
    }
    Ok(documents)
}

async fn notifications(caller: &Caller) -> anyhow::Result<Vec<String>> {
    let (mut told, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/notifications?limit=500{cursor}");
        let page: List<NotificationJson> = caller.must_get(&path).await?;
        told.extend(page.data.into_iter().map(|told| told.operation_id));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(told),
        }
    }
}

/// Final events that the outside subscriber heard.
async fn heard(rig: &Rig<'_>) -> anyhow::Result<BTreeMap<String, String>> {
    rig.hear().await?;
    let mut heard = BTreeMap::new();
    for message in rig.heard() {
        let (id, kind) = (message.header("ce-id"), message.header("ce-type"));
        if kind.as_deref() == Some(FINISHED) {
            let subject = message.header("ce-subject").context("no subject")?;
            heard.insert(id.context("no id")?, subject);
        }
    }
    Ok(heard)
}

/// Digits of the numbers in MongoDB's keys.
const DIGITS: &[u8] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/// Digits of a number there.
const WIDTH: usize = 11;

/// The audience in the key of a contact.
fn audience_of(key: &str) -> Option<i64> {
    key.get(..WIDTH)?.bytes().try_fold(0_i64, |number, digit| {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        number
            .checked_mul(64)?
            .checked_add(i64::try_from(value).ok()?)
    })
}

/// Stored contacts whose workspace is not their audience's.
async fn foreign_rows(rig: &Rig<'_>, owners: &BTreeMap<i64, String>) -> anyhow::Result<u64> {
    let database = rig.servers.mongodb().await?.database(&rig.name);
    let contacts = database.collection::<Document>("contacts");
    // Markers of purged contents are nobody's.
    let everybody = doc! { "r": { "$exists": false } };
    let mut rows = contacts.find(everybody).projection(doc! { "k": 1 }).await?;
    let mut foreign = 0;
    while let Some(row) = rows.try_next().await? {
        let owner = audience_of(row.get_str("_id")?).and_then(|audience| owners.get(&audience));
        let workspace = row.get_str("k")?;
        foreign += u64::from(owner.is_some_and(|owner| owner != workspace));
    }
    Ok(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_audience() {
        assert_eq!(audience_of("-----------"), Some(0));
        assert_eq!(audience_of("---------00----------0D1"), Some(65));
        assert_eq!(audience_of("short"), None);
    }
}
