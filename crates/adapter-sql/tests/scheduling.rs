//! The contract of communications, on both databases.

use contract_tests::{scheduling::ScheduleHarness, scheduling_contract};
use ports::scheduling::{ScheduleQueries, ScheduleStore};
use test_kit::TestDatabase;

struct Harness<Db>(TestDatabase<Db>);

impl<Db> ScheduleHarness for Harness<Db>
where
    Db: ScheduleStore + ScheduleQueries,
{
    fn store(&self) -> &dyn ScheduleStore {
        &*self.0
    }

    fn queries(&self) -> &dyn ScheduleQueries {
        &*self.0
    }
}

mod sqlite {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::sqlite::Db>> {
        Some(Harness(test_kit::sqlite().await))
    }

    scheduling_contract!(harness());
}

mod postgres {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::pg::Db>> {
        test_kit::postgres().await.map(Harness)
    }

    scheduling_contract!(harness());
}
