//! The contracts of feeds, uploads and outcomes, on both databases.

use adapter_sql::{pg, sqlite};
use contract_tests::{outcomes_contract, store::StoreHarness, store_feed_contract};
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

mod feed_on_sqlite {
    use super::*;

    store_feed_contract!(on_sqlite());
}

mod feed_on_postgres {
    use super::*;

    store_feed_contract!(on_postgres());
}

mod outcomes_on_sqlite {
    use super::*;

    outcomes_contract!(on_sqlite());
}

mod outcomes_on_postgres {
    use super::*;

    outcomes_contract!(on_postgres());
}
