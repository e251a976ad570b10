//! The bare store: one SQLite connection, the same tables, indexes, bytes and durability, rows
//! already normalised, transactions of 1,000, statements prepared once.

use std::path::Path;

use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use domain::contact::ContactBody;

use crate::data;

/// Rows of one transaction.
const TRANSACTION: usize = 1_000;
// Numbers as wide in the file as those that the server stores.
const AUDIENCE: i64 = 382_420_090_617_856_000;
const WRITE: i64 = 382_420_090_626_244_608;
const FIRST_SEQ: i64 = 1 << 32;
const REASONS: i64 = 2;
/// The workspace that the key opens.
pub const WORKSPACE: &str = "ws_demo";

/// Stores a contact; with `REPLACE`, also in the place of one that is there.
struct Put<'a, const REPLACE: bool> {
    document: &'a str,
    seq: i64,
    body: &'a str,
}

impl<const REPLACE: bool> QueryId for Put<'_, REPLACE> {
    type QueryId = Put<'static, REPLACE>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const REPLACE: bool> QueryFragment<Sqlite> for Put<'_, REPLACE> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO contacts \
             (audience, epoch, previous, document, seq, write_no, workspace, body) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&AUDIENCE)?;
        out.push_sql(", 1, -1, ");
        out.push_bind_param::<Text, _>(self.document)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.seq)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&WRITE)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(WORKSPACE)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.body)?;
        out.push_sql(if REPLACE {
            ") ON CONFLICT (audience, epoch, document) DO UPDATE SET previous = contacts.seq, \
             seq = excluded.seq, write_no = excluded.write_no, body = excluded.body"
        } else {
            ")"
        });
        Ok(())
    }
}

impl<const REPLACE: bool> RunQueryDsl<SqliteConnection> for Put<'_, REPLACE> {}

/// Stores a tombstone.
struct Entomb<'a>(&'a str);

impl QueryId for Entomb<'_> {
    type QueryId = Entomb<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for Entomb<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO tombstones \
             (audience, epoch, removal, document, seq, reasons, counted, run) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&AUDIENCE)?;
        out.push_sql(", 1, 1, ");
        out.push_bind_param::<Text, _>(self.0)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&FIRST_SEQ)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&REASONS)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&REASONS)?;
        out.push_sql(", 1)");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Entomb<'_> {}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How much a file of contacts holds.
#[derive(Debug, PartialEq, Eq, QueryableByName)]
pub struct Weight {
    #[diesel(sql_type = BigInt)]
    pub rows: i64,
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
}

/// What a contacts file holds, so that both sides are known to have stored the same.
pub fn weigh(path: &Path) -> anyhow::Result<Weight> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    let text = "SELECT count(*) AS \"rows\", coalesce(sum(length(CAST(body AS BLOB)) \
                + length(document) + length(workspace)), 0) AS bytes FROM contacts";
    Ok(sql_query(text).get_result(&mut conn)?)
}

/// A document, and the body in the form that the store keeps.
pub type Row = (String, Vec<u8>);

/// What a bare store does.
pub trait BareStore {
    /// A body in the form that the store keeps.
    fn encode(&self, body: &ContactBody) -> anyhow::Result<Vec<u8>>;
    /// Inserts rows that are all new.
    fn insert(&mut self, rows: &[Row]) -> anyhow::Result<()>;
    /// Inserts, or replaces what is there.
    fn upsert(&mut self, rows: &[Row]) -> anyhow::Result<()>;
    /// Inserts tombstones.
    fn put_tombstones(&mut self, documents: &[String]) -> anyhow::Result<()>;
    /// Forgets the tombstones.
    fn clear_tombstones(&mut self) -> anyhow::Result<()>;
    /// Reads every contact in the order of its key; answers how many there are.
    fn scan(&mut self) -> anyhow::Result<i64>;
}

/// The bare store of the one process.
pub struct Bare {
    conn: SqliteConnection,
    seq: i64,
}

impl Bare {
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute(adapter_sql::contacts::WRITER_SETUP)?;
        conn.batch_execute("PRAGMA synchronous = FULL")?;
        conn.batch_execute(adapter_sql::contacts::DDL)?;
        Ok(Self {
            conn,
            seq: FIRST_SEQ,
        })
    }

    fn put<const REPLACE: bool>(&mut self, rows: &[Row]) -> anyhow::Result<()> {
        for part in rows.chunks(TRANSACTION) {
            let mut seq = self.seq;
            self.conn.immediate_transaction(|conn| {
                for (document, body) in part {
                    seq += 1;
                    Put::<REPLACE> {
                        document,
                        seq,
                        body: std::str::from_utf8(body)?,
                    }
                    .execute(conn)?;
                }
                anyhow::Ok(())
            })?;
            self.seq = seq;
        }
        Ok(())
    }
}

impl BareStore for Bare {
    fn encode(&self, body: &ContactBody) -> anyhow::Result<Vec<u8>> {
        Ok(adapter_sql::contacts::encode(body)?.into_bytes())
    }

    fn insert(&mut self, rows: &[Row]) -> anyhow::Result<()> {
        self.put::<false>(rows)
    }

    fn upsert(&mut self, rows: &[Row]) -> anyhow::Result<()> {
        self.put::<true>(rows)
    }

    fn put_tombstones(&mut self, documents: &[String]) -> anyhow::Result<()> {
        for part in documents.chunks(TRANSACTION) {
            self.conn.immediate_transaction(|conn| {
                part.iter()
                    .try_for_each(|document| Entomb(document).execute(conn).map(drop))
            })?;
        }
        Ok(())
    }

    fn clear_tombstones(&mut self) -> anyhow::Result<()> {
        Ok(self.conn.batch_execute("DELETE FROM tombstones")?)
    }

    fn scan(&mut self) -> anyhow::Result<i64> {
        let text = "SELECT count(*) AS n FROM (SELECT document, seq, length(body) AS b \
                    FROM contacts WHERE audience = ? AND epoch = 1 ORDER BY document) WHERE b > 0";
        let count: Count = sql_query(text)
            .bind::<BigInt, _>(AUDIENCE)
            .get_result(&mut self.conn)?;
        Ok(count.n)
    }
}

/// Rows in the form that the store keeps.
pub fn rows(store: &dyn BareStore, numbers: impl Iterator<Item = u64>) -> anyhow::Result<Vec<Row>> {
    numbers
        .map(|n| Ok((data::document(n), store.encode(&data::body(n))?)))
        .collect()
}
