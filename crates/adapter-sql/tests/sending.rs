//! The contract of senders, on both databases.

use contract_tests::{sending::SendingHarness, sending_contract};
use ports::sending::SendingStore;
use test_kit::TestDatabase;

struct Harness<Db>(TestDatabase<Db>);

impl<Db: SendingStore> SendingHarness for Harness<Db> {
    fn store(&self) -> &dyn SendingStore {
        &*self.0
    }
}

mod sqlite {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::sqlite::Db>> {
        Some(Harness(test_kit::sqlite().await))
    }

    sending_contract!(harness());
}

mod postgres {
    use super::*;

    async fn harness() -> Option<Harness<adapter_sql::pg::Db>> {
        test_kit::postgres().await.map(Harness)
    }

    sending_contract!(harness());
}
