//! PostgreSQL that refuses, lets wait, or is asked too much; clients that go away.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use api_types::List;
use futures::future::join_all;
use serde_json::Value;
use tokio::time::sleep;

use super::Scene;
use crate::{load::client::Caller, run::GOING};

/// Tables whose changes are refused now and then.
const TABLES: [&str; 7] = [
    "operations",
    "outbox",
    "inbox",
    "audience_contents",
    "write_intents",
    "notifications",
    "idempotency",
];

/// Refuses one statement in fifty as a deadlock or a serialization failure.
const REFUSE: &str = "
    CREATE TABLE IF NOT EXISTS refused (at timestamptz);
    CREATE SEQUENCE IF NOT EXISTS refusals;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF random() < 0.02 THEN
            PERFORM nextval('refusals');
            IF random() < 0.5 THEN
                RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';
            END IF;
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
        END IF;
        RETURN NULL;
    END $$;";

/// D4: transactions are refused.
pub async fn refuse(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let sql = scene.rig.sql().await?;
    sql.batch_execute(REFUSE).await?;
    for table in TABLES {
        let trigger = format!(
            "CREATE TRIGGER refuse AFTER INSERT OR UPDATE ON {table}
             FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
        );
        sql.batch_execute(&trigger).await?;
    }
    sleep(Duration::from_secs(scene.either(60, 12))).await;
    for table in TABLES {
        sql.batch_execute(&format!("DROP TRIGGER refuse ON {table}"))
            .await?;
    }
    let refusals = sql
        .query_one("SELECT last_value FROM refusals", &[])
        .await?;
    Ok(u64::try_from(refusals.get::<_, i64>(0))?)
}

/// D4: somebody holds locks for longer than anybody waits.
pub async fn hold_locks(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let mut sql = scene.rig.sql().await?;
    let mut held = 0;
    for _ in 0..scene.either(2, 1) {
        for table in ["audience_contents", "operations", "outbox", "idempotency"] {
            let transaction = sql.transaction().await?;
            let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
            transaction.batch_execute(&lock).await?;
            sleep(Duration::from_secs(7)).await;
            transaction.commit().await?;
            held += 1;
            scene.load.progress(5, GOING).await?;
        }
    }
    Ok(held)
}

/// Longest time until so many clients are gone as the case wants.
const ABANDONED: Duration = Duration::from_secs(1_200);

/// D5: clients go away in the middle of their requests; the load counts how many.
pub async fn go_away(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let wanted = scene.either(10_000, 300);
    let history = &scene.load.history;
    let begun = Instant::now();
    while history.abandonments() < wanted {
        let gone = history.abandonments();
        ensure!(
            begun.elapsed() < ABANDONED,
            "{gone} clients went away in time"
        );
        scene.load.progress(20, GOING).await?;
    }
    Ok(0)
}

/// Longest time that an answer may take when there are too many questions.
const ANSWERED: Duration = Duration::from_secs(15);

/// Slow commits for a while.
const SLEEP: &str = "
    CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(0.4);
        RETURN NULL;
    END $$;
    CREATE TRIGGER doze AFTER INSERT ON write_intents
    FOR EACH STATEMENT EXECUTE FUNCTION doze();";

/// D6: two sessions per replica, slow statements, and 200 clients at once.
pub async fn exhaust(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let sql = scene.rig.sql().await?;
    sql.batch_execute(SLEEP).await?;
    let target = scene.rig.target();
    let mut asked = 0;
    for _ in 0..scene.either(5, 1) {
        let clients = (0..200).map(async |n| {
            let caller = Caller::new(target.clone(), "ws0", &format!("user{}", n % 3));
            let paths = ["audiences?limit=50", "operations?limit=5", "notifications"];
            let path = paths.get(n % paths.len()).copied().unwrap_or_default();
            let begun = Instant::now();
            let path = format!("/api/v1/{path}");
            let _: Option<List<Value>> = caller.get(&path, &scene.load.history).await;
            begun.elapsed()
        });
        let slowest = join_all(clients)
            .await
            .into_iter()
            .max()
            .context("nobody")?;
        ensure!(slowest < ANSWERED, "an answer took {slowest:?}");
        asked += 200;
    }
    sql.batch_execute("DROP TRIGGER doze ON write_intents")
        .await?;
    Ok(asked)
}
