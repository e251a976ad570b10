//! The contract of imports, on both databases.

use adapter_sql::Context;
use contract_tests::{importing::ImportHarness, importing_contract};
use ports::{crm::RateBudget, importing::ImportStore};
use test_kit::TestDatabase;

struct Harness<Db>(TestDatabase<Db>);

impl<Db> ImportHarness for Harness<Db>
where
    Db: ImportStore + RateBudget,
{
    fn store(&self) -> &dyn ImportStore {
        &*self.0
    }

    fn budget(&self) -> &dyn RateBudget {
        &*self.0
    }
}

mod sqlite {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::sqlite::Db>> {
        Some(Harness(test_kit::sqlite().await))
    }

    #[tokio::test]
    async fn migrations_run_once_and_again() {
        let db = test_kit::sqlite().await;
        assert!(db.migrate(Context::ALL).await.is_ok());
    }

    importing_contract!(harness());
}

mod postgres {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::pg::Db>> {
        test_kit::postgres().await.map(Harness)
    }

    importing_contract!(harness());
}
