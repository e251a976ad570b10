//! The contract of communications, on both databases.

use contract_tests::{
    scheduling::{ScheduleHarness, communication},
    scheduling_contract,
};
use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
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

    #[tokio::test]
    async fn a_communication_that_cannot_be_read_holds_no_other_up() {
        let db = test_kit::sqlite().await;
        let all = [1, 2].map(|id| communication(id, "w1", 10));
        let mut unit = db.begin_schedule().await.unwrap();
        for one in &all {
            unit.communications().add(one).await.unwrap();
        }
        unit.commit().await.unwrap();
        let file = db.dir().join("control.sqlite");
        let mut raw = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
        raw.batch_execute("UPDATE communications SET plan = '{}' WHERE id = 1")
            .unwrap();
        let (now, first) = (all[0].due_at, all[0].id);
        let mut unit = db.begin_schedule().await.unwrap();
        let due = unit.communications().due(now, 9).await.unwrap();
        assert_eq!(due.unreadable, [first]);
        assert!(due.ready == all[1..]);
        unit.communications()
            .give_up(&due.unreadable, now)
            .await
            .unwrap();
        unit.commit().await.unwrap();
        let mut unit = db.begin_schedule().await.unwrap();
        let due = unit.communications().due(now, 9).await.unwrap();
        assert!(due.unreadable.is_empty() && due.ready == all[1..]);
    }
}

mod postgres {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::pg::Db>> {
        test_kit::postgres().await.map(Harness)
    }

    scheduling_contract!(harness());
}
