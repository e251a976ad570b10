//! What a caller is told of is in PostgreSQL's log by then.

use adapter_sql::pg::{Db, Settings};
use ports::store::AudienceStore;
use tokio_postgres::NoTls;

/// Writes to the log without waiting for it, and answers where that ends.
const WRITE: &str = "SELECT pg_logical_emit_message(true, 'test', 'a commit')::text";
const END: &str = "SELECT pg_current_wal_insert_lsn()::text";
const FLUSHED: &str = "SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn";

#[tokio::test]
async fn settling_flushes_what_commits_left_in_memory() {
    let Some(url) = test_kit::postgres_url() else {
        return;
    };
    let session = |waits: &str| format!("{url}?options=-c%20synchronous_commit%3D{waits}");
    let db = Db::open(&Settings::new(session("on"))).unwrap();
    let (other, connection) = tokio_postgres::connect(&session("off"), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    for _ in 0..20 {
        other.query_one(WRITE, &[]).await.unwrap();
        let end: String = other.query_one(END, &[]).await.unwrap().get(0);
        db.settle().await.unwrap();
        let flushed = other.query_one(FLUSHED, &[&end]).await.unwrap();
        assert!(flushed.get::<_, bool>(0));
    }
}
