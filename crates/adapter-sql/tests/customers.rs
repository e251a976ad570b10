//! The contract of customers and their events, on both databases.

use adapter_sql::{pg, sqlite};
use contract_tests::{customers_contract, store::StoreHarness};
use ports::store::{AudienceQueries, AudienceStore};
use test_kit::TestDatabase;

struct Harness<Db>(TestDatabase<Db>);

impl<Db: AudienceStore + AudienceQueries> StoreHarness for Harness<Db> {
    fn store(&self) -> &dyn AudienceStore {
        &*self.0
    }

    fn queries(&self) -> &dyn AudienceQueries {
        &*self.0
    }
}

async fn on_sqlite() -> Option<Harness<sqlite::Db>> {
    Some(Harness(test_kit::sqlite().await))
}

async fn on_postgres() -> Option<Harness<pg::Db>> {
    test_kit::postgres().await.map(Harness)
}

mod customers_on_sqlite {
    use super::*;

    customers_contract!(on_sqlite());
}

mod customers_on_postgres {
    use super::*;

    customers_contract!(on_postgres());
}
