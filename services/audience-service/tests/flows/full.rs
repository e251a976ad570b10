//! A full disk: operations wait for room, say so, and go on.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use audience_service::{Ports, control::Pool};
use domain::{
    operation::{Operation, OperationState},
    shared::{Instant, OperationId},
};
use ports::{
    StoreError,
    files::{FileError, SortedRecords, Sorter, Spool, SpoolInfo},
    store::{
        AudienceStore, Durability, Housekeeping, OperationFilter, OperationStore, OperationUnit,
        UnitOfWork,
    },
};

use crate::rig::Rig;

/// How many writes find room on the disk under what it is given to.
#[derive(Clone)]
pub struct Disk {
    left: Arc<AtomicI64>,
    refuses: Arc<AtomicBool>,
}

impl Disk {
    pub fn with_room() -> Self {
        Self {
            left: Arc::new(AtomicI64::new(i64::MAX)),
            refuses: Arc::default(),
        }
    }

    /// Puts the store of operations on it.
    pub fn is_under(&self, ports: &mut Ports) {
        ports.store = Arc::new(FullStore(Arc::clone(&ports.store), self.clone()));
    }

    pub fn leave(&self, writes: i64) {
        self.left.store(writes, Ordering::Relaxed);
    }

    /// Has no room for the next write.
    pub fn refuse_one(&self) {
        self.refuses.store(true, Ordering::Relaxed);
    }

    fn room<E>(&self, error: E) -> Result<(), E> {
        let refused = self.refuses.swap(false, Ordering::Relaxed);
        if refused || self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(error);
        }
        Ok(())
    }
}

/// Scratch files on that disk.
struct FullSpool(Arc<dyn Spool>, Disk);

impl fmt::Debug for FullSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Spool for FullSpool {
    fn sorter(&self, name: &str, memory_bytes: usize) -> Result<Box<dyn Sorter>, FileError> {
        self.1.room(FileError::DiskFull)?;
        self.0.sorter(name, memory_bytes)
    }

    fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SortedRecords>, FileError> {
        self.0.open(name, offset)
    }

    fn info(&self, name: &str) -> Result<Option<SpoolInfo>, FileError> {
        self.0.info(name)
    }

    fn names(
        &self,
        untouched_since: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<String>, FileError> {
        self.0.names(untouched_since)
    }

    fn remove(&self, name: &str) -> Result<(), FileError> {
        self.0.remove(name)
    }
}

/// The store of operations on that disk: it is read, and nothing can be written.
struct FullStore(Arc<dyn AudienceStore>, Disk);

#[async_trait]
impl Housekeeping for FullStore {
    async fn purge_user_events(&self, now: Instant, limit: usize) -> Result<u64, StoreError> {
        self.0.purge_user_events(now, limit).await
    }

    async fn purge_customer_events(
        &self,
        before: Instant,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.0.purge_customer_events(before, limit).await
    }

    async fn purge_refreshes(&self, before: Instant, limit: usize) -> Result<u64, StoreError> {
        self.0.purge_refreshes(before, limit).await
    }
}

#[async_trait]
impl OperationStore for FullStore {
    async fn begin_operations(
        &self,
        durability: Durability,
    ) -> Result<Box<dyn OperationUnit>, StoreError> {
        self.1.room(StoreError::DiskFull)?;
        self.0.begin_operations(durability).await
    }
}

#[async_trait]
impl AudienceStore for FullStore {
    async fn begin(&self, durability: Durability) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.1.room(StoreError::DiskFull)?;
        self.0.begin(durability).await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.0.settle().await
    }
}

/// Waits until an operation stands so.
async fn seen(rig: &Rig, id: OperationId, so: impl Fn(&Operation) -> bool) -> Operation {
    for _ in 0..600 {
        let operation = rig.operation(id).await;
        if so(&operation) {
            return operation;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it stands as {:?}", rig.operation(id).await);
}

fn waits_for_room(operation: &Operation) -> bool {
    operation.state == OperationState::Waiting && operation.reason.as_deref() == Some("disk_full")
}

/// Runs what was asked for while the disk has room for so many writes, until it is seen to wait;
/// then there is room again. Answers how it was stored meanwhile.
async fn stored_while_full(rig: &Rig, disk: &Disk, id: OperationId, writes: i64) -> OperationState {
    disk.leave(writes);
    let worker = {
        let app = Arc::clone(&rig.app);
        tokio::spawn(async move {
            for pool in [Pool::Intake, Pool::Recycle] {
                // As workers do: again where it cannot be taken.
                while app.operations.work_once(pool).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        })
    };
    seen(rig, id, waits_for_room).await;
    let listed = rig
        .app
        .operations
        .find
        .list(&rig.actor(), FIRST_TEN)
        .await
        .unwrap()
        .0;
    let waits = |listed: &Operation| listed.id == id && waits_for_room(listed);
    assert!(listed.iter().any(waits));
    let queries = &rig.ports.queries;
    let stored = queries.operation(&rig.actor().workspace, id).await;
    disk.leave(i64::MAX);
    worker.await.unwrap();
    let ended = seen(rig, id, |operation| operation.state.is_terminal()).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert_eq!(ended.reason, None);
    stored.unwrap().unwrap().state
}

const FIRST_TEN: OperationFilter = OperationFilter {
    kind: None,
    state: None,
    audience: None,
    before: None,
    limit: 10,
};

async fn on_a_full_store() -> (Rig, Disk) {
    let disk = Disk::with_room();
    let rig = Rig::with(|deps| disk.is_under(deps));
    (rig.await, disk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recycle_whose_state_finds_no_room_still_says_that_it_waits() {
    let (rig, disk) = on_a_full_store().await;
    let base = rig.create("Base", &["a", "b", "c"]).await;
    let id = rig.ask_to_recycle(base, &["a"], false).await;
    // Claims of two pools find room, and nothing that the run stores.
    let stored = stored_while_full(&rig, &disk, id, 2).await;
    assert_eq!(stored, OperationState::Running);
    assert_eq!(rig.members(base).await, ["B", "C"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recycle_that_cannot_be_taken_for_want_of_room_says_so() {
    let (rig, disk) = on_a_full_store().await;
    let base = rig.create("Base", &["a", "b", "c"]).await;
    let id = rig.ask_to_recycle(base, &["a"], false).await;
    let stored = stored_while_full(&rig, &disk, id, 1).await;
    assert_eq!(stored, OperationState::Queued);
    assert_eq!(rig.members(base).await, ["B", "C"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_waits_while_its_sorted_rows_find_no_room() {
    let disk = Disk::with_room();
    let rig = Rig::with(|deps| {
        deps.spool = Arc::new(FullSpool(Arc::clone(&deps.spool), disk.clone()));
    });
    let rig = rig.await;
    let accepted = rig.create_from_csv("Do arquivo", "cpf;nome\n1;Ana\n").await;
    let stored = stored_while_full(&rig, &disk, accepted.operation, 0).await;
    assert_eq!(stored, OperationState::Waiting);
    assert_eq!(rig.members(accepted.audience).await, ["1"]);
}
