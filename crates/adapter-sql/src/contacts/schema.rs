//! Tables of the contacts file.

use diesel::{
    RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query, sql_types::BigInt,
};
use ports::StoreError;

use crate::core::error;

/// Tables and indexes, as of [`VERSION`].
///
/// `previous` is the order of what the row's last write replaced (-1: nothing): it tells inserted
/// from replaced, also after a crash.
pub const DDL: &str = "
CREATE TABLE contacts (
    audience INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    document TEXT NOT NULL,
    seq INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    write_no INTEGER NOT NULL,
    workspace TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (audience, epoch, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_person ON contacts (workspace, document);
CREATE TABLE tombstones (
    audience INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    document TEXT NOT NULL,
    removal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    reasons INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (audience, epoch, document, removal)
) STRICT, WITHOUT ROWID;
CREATE TABLE page_indexes (
    audience INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    blocks TEXT NOT NULL,
    PRIMARY KEY (audience, epoch)
) STRICT, WITHOUT ROWID;
";

/// Version of the tables, kept in `user_version`.
const VERSION: i64 = 1;

/// 16 MB of cache for the one connection that writes; the log is folded back every 32 MB.
pub const WRITER_SETUP: &str = "
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA wal_autocheckpoint = 8000;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -16000;
PRAGMA temp_store = MEMORY;
";

/// 2 MB of cache for each connection that reads.
pub(super) const READER_SETUP: &str = "
PRAGMA busy_timeout = 5000;
PRAGMA cache_size = -2000;
PRAGMA query_only = ON;
";

#[derive(diesel::QueryableByName)]
struct UserVersion {
    #[diesel(sql_type = BigInt)]
    user_version: i64,
}

/// Makes the tables in a new file.
pub(super) fn migrate(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: UserVersion = sql_query("PRAGMA user_version")
        .get_result(conn)
        .map_err(error::store)?;
    match version.user_version {
        0 => {
            let make = format!("BEGIN IMMEDIATE;{DDL}PRAGMA user_version = {VERSION};COMMIT;");
            conn.batch_execute(&make).map_err(error::store)
        }
        VERSION => Ok(()),
        _ => Err(StoreError::Corrupt(
            "the contacts file was written by a newer version",
        )),
    }
}
