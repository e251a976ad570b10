//! The contract of imports, on both databases.

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
        let db = test_kit::sqlite().await;
        let migrated = db.migrate_imports().await;
        assert!(migrated.is_ok(), "{migrated:?}");
        Some(Harness(db))
    }

    #[tokio::test]
    async fn migrations_run_once_and_again() {
        let db = test_kit::sqlite().await;
        for _ in 0..2 {
            assert!(db.migrate_imports().await.is_ok());
        }
    }

    importing_contract!(harness());
}

mod postgres {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::pg::Db>> {
        let db = test_kit::postgres().await?;
        let migrated = db.migrate_imports().await;
        assert!(migrated.is_ok(), "{migrated:?}");
        Some(Harness(db))
    }

    importing_contract!(harness());
}
