//! The contracts of requests and of the bus, on both databases.

use std::sync::Arc;

use adapter_sql::{pg, sqlite};
use async_trait::async_trait;
use contract_tests::{
    bus::{BusHarness, End},
    bus_contract,
    requests::{ManualClock, RequestsHarness, Sequence},
    requests_contract,
};
use domain::shared::Instant;
use ports::{
    Clock, IdGenerator, StoreError,
    auth::ApiKeyStore,
    bus::{DeadLetters, EnvironmentStore, InboxStore, OutboxEvent, OutboxQueue, Receipt},
    idempotency::IdempotencyStore,
    store::{AudienceQueries, AudienceStore, Durability},
};
use test_kit::TestDatabase;

struct Harness<Db, I> {
    db: TestDatabase<Db>,
    idempotency: I,
    clock: Arc<ManualClock>,
}

impl<Db: Clone, I> Harness<Db, I> {
    fn new(
        db: TestDatabase<Db>,
        idempotency: fn(Db, Arc<dyn Clock>, Arc<dyn IdGenerator>) -> I,
    ) -> Self {
        let clock = Arc::new(ManualClock::default());
        let idempotency = idempotency(
            (*db).clone(),
            Arc::<ManualClock>::clone(&clock),
            Arc::new(Sequence::default()),
        );
        Self {
            db,
            idempotency,
            clock,
        }
    }
}

impl<Db, I> RequestsHarness for Harness<Db, I>
where
    Db: AudienceStore + AudienceQueries + ApiKeyStore,
    I: IdempotencyStore,
{
    fn store(&self) -> &dyn AudienceStore {
        &*self.db
    }

    fn queries(&self) -> &dyn AudienceQueries {
        &*self.db
    }

    fn idempotency(&self) -> &dyn IdempotencyStore {
        &self.idempotency
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn keys(&self) -> &dyn ApiKeyStore {
        &*self.db
    }
}

#[async_trait]
impl<Db, I> BusHarness for Harness<Db, I>
where
    Db: AudienceStore + OutboxQueue + InboxStore + DeadLetters,
    I: Send + Sync,
{
    fn outbox(&self) -> &dyn OutboxQueue {
        &*self.db
    }

    fn inbox(&self) -> &dyn InboxStore {
        &*self.db
    }

    fn dead(&self) -> &dyn DeadLetters {
        &*self.db
    }

    async fn transact(
        &self,
        events: Vec<OutboxEvent>,
        receipts: Vec<Receipt>,
        now: Instant,
        end: End,
    ) -> Result<(), StoreError> {
        let mut uow = self.db.begin(Durability::Full).await?;
        uow.outbox().add_all(events, now).await?;
        for receipt in &receipts {
            uow.inbox().complete(receipt, now).await?;
        }
        match end {
            End::Commit => uow.commit().await,
            End::RollBack => Ok(()),
        }
    }
}

async fn on_sqlite() -> Option<Harness<sqlite::Db, sqlite::Idempotency>> {
    Some(Harness::new(
        test_kit::sqlite().await,
        sqlite::Idempotency::new,
    ))
}

async fn on_postgres() -> Option<Harness<pg::Db, pg::Idempotency>> {
    Some(Harness::new(
        test_kit::postgres().await?,
        pg::Idempotency::new,
    ))
}

mod requests_on_sqlite {
    use super::*;

    requests_contract!(on_sqlite());
}

mod requests_on_postgres {
    use super::*;

    requests_contract!(on_postgres());
}

mod bus_on_sqlite {
    use super::*;

    bus_contract!(on_sqlite());
}

mod bus_on_postgres {
    use super::*;

    bus_contract!(on_postgres());
}

/// A database belongs to who used it first, until somebody else adopts it.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn belongs(db: &impl EnvironmentStore) {
    assert_eq!(db.environment("production").await.unwrap(), "production");
    assert_eq!(db.environment("staging").await.unwrap(), "production");
    let before = db.adopt("staging").await.unwrap();
    assert_eq!(before.as_deref(), Some("production"));
    assert_eq!(db.environment("production").await.unwrap(), "staging");
}

#[tokio::test]
async fn a_database_belongs_to_one_environment() {
    belongs(&*test_kit::sqlite().await).await;
    if let Some(database) = test_kit::postgres().await {
        belongs(&*database).await;
    }
}
