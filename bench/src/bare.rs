//! The bare store: one SQLite connection, the same tables, indexes, bytes and durability, rows
//! already normalised, transactions of 1,000, statements prepared once.

use std::path::Path;

use diesel::{
    Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, prelude::*, sql_query,
    sql_types::BigInt, upsert::excluded,
};

use crate::data;

/// Rows of one transaction.
const TRANSACTION: usize = 1_000;
/// The audience of all rows.
const AUDIENCE: i64 = 104_629_547_441_512_448;
const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;";

diesel::table! {
    contacts (audience, epoch, document) {
        audience -> BigInt,
        epoch -> BigInt,
        document -> Text,
        seq -> BigInt,
        previous -> BigInt,
        write_no -> BigInt,
        workspace -> Text,
        body -> Text,
    }
}

diesel::table! {
    tombstones (audience, epoch, document, removal) {
        audience -> BigInt,
        epoch -> BigInt,
        document -> Text,
        removal -> BigInt,
        seq -> BigInt,
        reasons -> BigInt,
    }
}

/// The bare store.
pub struct Bare(SqliteConnection);

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl Bare {
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute(SETUP)?;
        conn.batch_execute(adapter_sql::contacts::DDL)?;
        Ok(Self(conn))
    }

    /// Inserts, or replaces what is there: the numbers come with their bodies.
    pub fn upsert(&mut self, rows: &[(String, String)], seq: i64) -> anyhow::Result<()> {
        use contacts::dsl;
        for part in rows.chunks(TRANSACTION) {
            self.0.immediate_transaction(|conn| {
                for (document, body) in part {
                    diesel::insert_into(dsl::contacts)
                        .values((
                            dsl::audience.eq(AUDIENCE),
                            dsl::epoch.eq(1),
                            dsl::document.eq(document),
                            dsl::seq.eq(seq),
                            dsl::previous.eq(-1),
                            dsl::write_no.eq(seq),
                            dsl::workspace.eq("ws_bench"),
                            dsl::body.eq(body),
                        ))
                        .on_conflict((dsl::audience, dsl::epoch, dsl::document))
                        .do_update()
                        .set((
                            dsl::seq.eq(excluded(dsl::seq)),
                            dsl::write_no.eq(excluded(dsl::write_no)),
                            dsl::body.eq(excluded(dsl::body)),
                        ))
                        .execute(conn)?;
                }
                Ok::<_, diesel::result::Error>(())
            })?;
        }
        Ok(())
    }

    /// Inserts tombstones in the order of their keys.
    pub fn entomb(&mut self, documents: &[String]) -> anyhow::Result<()> {
        use tombstones::dsl;
        for part in documents.chunks(TRANSACTION) {
            self.0.immediate_transaction(|conn| {
                for document in part {
                    diesel::insert_into(dsl::tombstones)
                        .values((
                            dsl::audience.eq(AUDIENCE),
                            dsl::epoch.eq(1),
                            dsl::document.eq(document),
                            dsl::removal.eq(1),
                            dsl::seq.eq(1),
                            dsl::reasons.eq(2),
                        ))
                        .execute(conn)?;
                }
                Ok::<_, diesel::result::Error>(())
            })?;
        }
        Ok(())
    }

    /// Forgets the tombstones.
    pub fn clear_tombstones(&mut self) -> anyhow::Result<()> {
        Ok(self.0.batch_execute("DELETE FROM tombstones")?)
    }

    /// Reads every contact in the order of its key.
    pub fn scan(&mut self) -> anyhow::Result<i64> {
        let text = "SELECT count(*) AS n FROM (SELECT document, seq, length(body) AS b \
                    FROM contacts WHERE audience = ? AND epoch = 1 ORDER BY document) WHERE b > 0";
        let count: Count = sql_query(text)
            .bind::<BigInt, _>(AUDIENCE)
            .get_result(&mut self.0)?;
        Ok(count.n)
    }
}

/// Rows in the form that the store keeps.
pub fn rows(numbers: impl Iterator<Item = u64>) -> Vec<(String, String)> {
    numbers
        .map(|n| (data::document(n), data::body(n)))
        .collect()
}
