//! The contract of the relational store, on both databases.

use adapter_sql::{pg, sqlite};
use contract_tests::{store::StoreHarness, store_contract};
use ports::store::{AudienceQueries, AudienceStore};
use test_kit::TestDatabase;

struct Harness<Db> {
    database: TestDatabase<Db>,
    keeps_writes: bool,
}

impl<Db: AudienceStore + AudienceQueries> StoreHarness for Harness<Db> {
    fn store(&self) -> &dyn AudienceStore {
        &*self.database
    }

    fn queries(&self) -> &dyn AudienceQueries {
        &*self.database
    }

    fn keeps_writes(&self) -> bool {
        self.keeps_writes
    }
}

async fn on_sqlite() -> Option<Harness<sqlite::Db>> {
    Some(Harness {
        database: test_kit::sqlite().await,
        keeps_writes: false,
    })
}

async fn on_postgres() -> Option<Harness<pg::Db>> {
    let database = test_kit::postgres().await?;
    Some(Harness {
        database,
        keeps_writes: true,
    })
}

mod on_sqlite {
    use super::*;

    store_contract!(on_sqlite());
}

mod on_postgres {
    use super::*;

    store_contract!(on_postgres());
}
