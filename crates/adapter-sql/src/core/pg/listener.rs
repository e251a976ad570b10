//! What other processes commit, as it happens; and the number that tells this process apart.

use std::time::Duration;

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{BigInt, Bool, Integer, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures::StreamExt;
use ports::StoreError;

use super::{Conn, Db, establish, session};
use crate::core::error;

/// Numbers that are tried before giving up.
const TRIES: usize = 1_024;
/// First key of the advisory locks on node numbers.
const NODES: i32 = 0x504c_4154;
/// Quiet time after which the connection is tried.
const QUIET: Duration = Duration::from_secs(20);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause before connecting again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the number is asked for again: the server may take this process's old session, which
/// still has it, for alive until its keepalive ends. Ten minutes in all.
const CLAIMS: u32 = 600;

/// What happened somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// There is an event to relay.
    Outbox,
    /// There is an operation to work on.
    Work,
    /// An operation is to stop (raw id).
    Cancel(i64),
    /// An operation changed (raw id).
    Operation(i64),
    /// A feed has a new event: workspace and user.
    Feed(String, String),
    /// The connection was lost for a while: anything may have happened.
    Missed,
}

impl Notice {
    fn parse(payload: &str, schema: &str) -> Option<Self> {
        let rest = payload.strip_prefix(schema)?.strip_prefix(' ')?;
        let (kind, detail) = rest.split_once(' ').unwrap_or((rest, ""));
        match kind {
            "outbox" => Some(Self::Outbox),
            "work" => Some(Self::Work),
            "cancel" => detail.parse().ok().map(Self::Cancel),
            "operation" => detail.parse().ok().map(Self::Operation),
            "feed" => {
                let (workspace, user) = detail.split_once(' ')?;
                Some(Self::Feed(workspace.to_owned(), user.to_owned()))
            }
            _ => None,
        }
    }
}

#[derive(QueryableByName)]
struct Node {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Bool)]
    free: bool,
    #[diesel(sql_type = Text)]
    schema: String,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    free: bool,
}

/// A connection of its own that listens, and holds the node number.
pub struct Listener {
    db: Db,
    conn: Conn,
    node: u16,
    schema: String,
}

impl Db {
    /// Takes a node number that no other living process has, and begins to listen.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached, `Internal` when all numbers are taken.
    pub async fn listen(&self) -> Result<Listener, StoreError> {
        let mut conn = connect(self).await?;
        for _ in 0..TRIES {
            let node: Node = sql_query(
                "WITH next AS (SELECT nextval('node_numbers') AS number) \
                 SELECT number, pg_try_advisory_lock($1, hashtext(current_schema()) # number::int) \
                 AS free, current_schema()::text AS schema FROM next",
            )
            .bind::<Integer, _>(NODES)
            .get_result(&mut conn)
            .await
            .map_err(error::store)?;
            if let Ok(number) = u16::try_from(node.number)
                && node.free
            {
                let (db, schema) = (self.clone(), node.schema);
                return Ok(Listener {
                    db,
                    conn,
                    node: number,
                    schema,
                });
            }
        }
        Err(StoreError::Internal("every node number is taken".into()))
    }
}

async fn connect(db: &Db) -> Result<Conn, StoreError> {
    let connecting = establish(db.link.clone(), session(&db.settings));
    let connected = tokio::time::timeout(db.settings.acquire_timeout, connecting).await;
    let mut conn = connected
        .map_err(error::unavailable)?
        .map_err(error::unavailable)?;
    conn.batch_execute("LISTEN plateia")
        .await
        .map_err(error::store)?;
    Ok(conn)
}

impl Listener {
    /// Tells this process apart from all others that live; below 1024.
    pub const fn node(&self) -> u16 {
        self.node
    }

    /// Passes notices on until it is dropped; connects anew when the connection breaks.
    ///
    /// Ends only when another process has taken the node number meanwhile: ids would meet.
    pub async fn run(mut self, told: impl Fn(Notice) + Send) {
        loop {
            let lost = self.hear(&told).await;
            tracing::warn!(error = %lost, "signals of other processes are not heard");
            let mut claims = 0;
            loop {
                tokio::time::sleep(PAUSE).await;
                match self.reconnect().await {
                    Ok(true) => break,
                    Ok(false) if claims < CLAIMS => claims += 1,
                    Ok(false) => {
                        tracing::error!(node = self.node, "another process has this node number");
                        return;
                    }
                    Err(_) => {}
                }
            }
            tracing::info!("signals of other processes are heard again");
            told(Notice::Missed);
        }
    }

    async fn reconnect(&mut self) -> Result<bool, StoreError> {
        self.conn = connect(&self.db).await?;
        let locked: Locked =
            sql_query("SELECT pg_try_advisory_lock($1, hashtext(current_schema()) # $2) AS free")
                .bind::<Integer, _>(NODES)
                .bind::<Integer, _>(i32::from(self.node))
                .get_result(&mut self.conn)
                .await
                .map_err(error::store)?;
        Ok(locked.free)
    }

    /// Passes notices on until the connection breaks.
    async fn hear(&mut self, told: &(impl Fn(Notice) + Send)) -> StoreError {
        loop {
            let quiet = {
                let mut notices = std::pin::pin!(self.conn.notifications_stream());
                match tokio::time::timeout(QUIET, notices.next()).await {
                    Ok(Some(Ok(notice))) => {
                        if let Some(notice) = Notice::parse(&notice.payload, &self.schema) {
                            told(notice);
                        }
                        false
                    }
                    Ok(Some(Err(error))) => return error::store(error),
                    Ok(None) => return StoreError::Unavailable("the connection is closed".into()),
                    Err(_) => true,
                }
            };
            if quiet && let Err(error) = self.probe().await {
                return error;
            }
        }
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        let probe: QueryResult<()> =
            match tokio::time::timeout(PATIENCE, self.conn.batch_execute("SELECT 1")).await {
                Ok(answer) => answer,
                Err(_) => return Err(StoreError::Unavailable("no answer in time".into())),
            };
        probe.map_err(error::store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_this_schema_are_notices() {
        let parse = |payload| Notice::parse(payload, "public");
        assert_eq!(parse("public outbox"), Some(Notice::Outbox));
        assert_eq!(parse("public cancel 7"), Some(Notice::Cancel(7)));
        assert_eq!(
            parse("public feed ws_a a user"),
            Some(Notice::Feed("ws_a".into(), "a user".into()))
        );
        assert_eq!(parse("other outbox"), None);
        assert_eq!(parse("public2 outbox"), None);
        assert_eq!(parse("public cancel x"), None);
    }
}
