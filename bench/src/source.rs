//! Customers and what they did, written into the database of a server by statements: a million of them would take
//! an hour over HTTP.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use diesel::{Connection, QueryableByName, SqliteConnection, sql_query, sql_types::BigInt};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures::StreamExt;
use tokio::runtime::Runtime;

use crate::{Setup, bare::WORKSPACE};

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the servers that are measured have this clock"
)]
pub fn now_millis() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_millis())?)
}

/// The database of a server.
pub enum Source {
    Sqlite(SqliteConnection),
    Postgres(Box<AsyncPgConnection>, Runtime),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    #[expect(dead_code, reason = "it is read, and not looked at")]
    n: i64,
}

impl Source {
    /// That of the server that was started under a name.
    pub fn open(setup: &Setup, name: &str) -> anyhow::Result<Self> {
        let Some(stack) = &setup.stack else {
            let path = setup.dir(name)?.join("audience.db");
            return Ok(Self::Sqlite(SqliteConnection::establish(
                &path.to_string_lossy(),
            )?));
        };
        let settings = stack.settings(name);
        let of = |wanted: &str| {
            let found = settings.iter().find(|(key, _)| *key == wanted);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let conn = runtime.block_on(async {
            let mut conn = AsyncPgConnection::establish(&of("PLATEIA__POSTGRES__URL")).await?;
            let path = format!(
                "SET search_path TO {}; SET jit = off",
                of("PLATEIA__POSTGRES__SCHEMA")
            );
            conn.batch_execute(&path).await?;
            anyhow::Ok(conn)
        })?;
        Ok(Self::Postgres(Box::new(conn), runtime))
    }

    /// Runs statements.
    pub fn run(&mut self, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(conn) => {
                use diesel::connection::SimpleConnection;
                Ok(conn.batch_execute(text)?)
            }
            Self::Postgres(conn, runtime) => Ok(runtime.block_on(conn.batch_execute(text))?),
        }
    }

    /// Reads the numbers `n` of a query to its end; answers how many, and the seconds that it took.
    pub fn read(&mut self, text: &str) -> anyhow::Result<(u64, f64)> {
        let started = Instant::now();
        let rows = match self {
            Self::Sqlite(conn) => {
                use diesel::RunQueryDsl;
                let rows: Vec<Number> = sql_query(text).load(conn)?;
                rows.len() as u64
            }
            Self::Postgres(conn, runtime) => runtime.block_on(async {
                use diesel_async::RunQueryDsl;
                let mut rows = sql_query(text).load_stream::<Number>(conn).await?;
                let mut count = 0;
                while let Some(row) = rows.next().await {
                    row?;
                    count += 1;
                }
                anyhow::Ok(count)
            })?,
        };
        Ok((rows, started.elapsed().as_secs_f64()))
    }

    /// An instant, from the text of its milliseconds since 1970.
    pub fn instant(&self, millis: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("({millis})"),
            Self::Postgres(..) => format!("to_timestamp(({millis}) / 1000.0)"),
        }
    }

    fn document(&self, text: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("({text})"),
            Self::Postgres(..) => format!("CAST(({text}) AS jsonb)"),
        }
    }

    /// Customers from 1 to `customers`, in ten cities and five plans, with ten events each: every third customer
    /// buys, the others look at pages. The last of them happened now.
    pub fn fill(&mut self, customers: u64, now: i64) -> anyhow::Result<()> {
        let (empty, list) = (self.document("'{}'"), self.document("'[]'"));
        let facts = self.document(
            "'{\"t:attributes.city\":\"c' || (n % 10) || '\",\"t:attributes.plan\":\"p' || (n % 5) || '\"}'",
        );
        let attributes =
            self.document("'{\"city\":\"c' || (n % 10) || '\",\"plan\":\"p' || (n % 5) || '\"}'");
        let at = self.instant(&now.to_string());
        let numbers = format!(
            "WITH RECURSIVE g(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM g WHERE n < {customers})"
        );
        self.run(&format!(
            "{numbers} INSERT INTO customers (workspace, id, client, identity, document, name, phone_valid, email_valid,
                 attributes, tags, imported_tags, version, member_key, facts, created_at, updated_at)
             SELECT '{WORKSPACE}', n, '', 'd:D' || (1000000000 + n), 'D' || (1000000000 + n), 'Person ' || n, 0, 0,
                 {attributes}, {list}, {list}, 1, 'D' || (1000000000 + n), {facts}, {at}, {at} FROM g"
        ))?;
        // Ten events each, over a hundred days; their order is that of time within a customer.
        let time = self.instant(&format!(
            "{now} - ((n * 7 + e * 13) % 100) * 86400000 - e * 1000"
        ));
        self.run(&format!(
            "{numbers}, h(e) AS (SELECT 1 UNION ALL SELECT e + 1 FROM h WHERE e < 10)
             INSERT INTO customer_events (workspace, customer, occurred_at, id, name, properties, facts, amount, received_at)
             SELECT '{WORKSPACE}', n, {time}, n * 10 + e,
                 CASE WHEN n % 3 = 0 THEN 'order.paid' ELSE 'page.viewed' END, {empty}, {empty},
                 (n % 97 + e) * 1000000, {at} FROM g, h"
        ))?;
        self.run(&format!(
            "INSERT INTO customer_totals (workspace, last_id, customers) VALUES ('{WORKSPACE}', {customers}, {customers})
             ON CONFLICT (workspace) DO UPDATE SET last_id = {customers}, customers = {customers}"
        ))?;
        self.run("ANALYZE")
    }
}
