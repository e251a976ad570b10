//! The application on its stores, as it can be started, ended at once, and started again.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use adapter_bigquery::{
    SystemTimer,
    segments::{BigQueryWarehouses, Options},
};
use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use audience_service::{
    Actor, Ports, RequestId, StepSizes, UseCases,
    contact::read::ContactCursor,
    control::{Pool, WorkOutcome},
    segment::SizeGuard,
};
use domain::{
    operation::OperationState,
    shared::{Instant, OperationId, UserId, WorkspaceId},
};
use ports::{Clock, IdGenerator, bus::OutboxQueue, crash, store::OperationFilter};
use sealing::Vault;
use tokio::runtime::Runtime;

use super::backend::{Backend, Deployment, Stores};

/// Small, so that work of a few rows has several checkpoints.
pub const STEPS: StepSizes = StepSizes {
    judged: 3,
    written: 2,
    purged: 2,
};

thread_local! {
    /// The armed crash of the process that this thread belongs to.
    static ARMED: RefCell<Option<Arc<Countdown>>> = const { RefCell::new(None) };
}

/// What happens at the crash point that is reached after so many others.
type Deed = Box<dyn FnOnce() + Send>;

/// Crash points until something happens; 0 for never.
#[derive(Default)]
pub struct Countdown {
    points: AtomicU32,
    /// Instead of the end of the process.
    deed: Mutex<Option<Deed>>,
    /// The process has ended: whatever else it does is none of it.
    crashed: AtomicBool,
}

/// What a crash point throws.
struct Crashed;

fn install_crash_points() {
    crash::install(Box::new(|_| {
        let Some(countdown) = ARMED.with_borrow(Clone::clone) else {
            return;
        };
        let count = |left: u32| left.checked_sub(1);
        let points = &countdown.points;
        if points.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count) == Ok(1) {
            let deed = countdown.deed.lock().unwrap().take();
            match deed {
                Some(deed) => deed(),
                None => {
                    countdown.crashed.store(true, Ordering::Relaxed);
                    std::panic::resume_unwind(Box::new(Crashed))
                }
            }
        }
    }));
}

/// Time that only the test moves.
pub struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_800_000_000_000))
    }
}

impl TestClock {
    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub struct Ids(AtomicI64);

impl Default for Ids {
    fn default() -> Self {
        Self(AtomicI64::new(1_000_000))
    }
}

impl IdGenerator for Ids {
    fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A running process.
struct Process {
    runtime: Runtime,
    app: Arc<UseCases>,
    outbox: Arc<dyn OutboxQueue>,
}

/// The stores, and the process that has them open.
pub struct System {
    deployment: Deployment,
    process: Option<Process>,
    countdown: Arc<Countdown>,
    /// When the process ends by itself.
    end_after: Cell<Option<Duration>>,
    pub clock: Arc<TestClock>,
    ids: Arc<Ids>,
    starts: u32,
    pub cursor: Option<ContactCursor>,
}

/// Threads that work, one of which a deed may hold up, and the crash points of this process for all its threads.
pub fn runtime(countdown: &Arc<Countdown>) -> Runtime {
    let countdown = Arc::clone(countdown);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || ARMED.set(Some(Arc::clone(&countdown))))
        .enable_all()
        .build()
        .unwrap()
}

impl System {
    pub fn on(backend: &Backend) -> Self {
        install_crash_points();
        let deployment = backend.deployment();
        let mut system = Self {
            process: None,
            countdown: Arc::default(),
            end_after: Cell::new(None),
            clock: Arc::clone(&deployment.clock),
            ids: Arc::clone(&deployment.ids),
            deployment,
            starts: 0,
            cursor: None,
        };
        system.start();
        system
    }

    /// Ends the process as a kill does, and starts another one on its stores.
    pub fn restart(&mut self) {
        self.arm(0);
        if let Some(Process {
            runtime,
            app,
            outbox,
        }) = self.process.take()
        {
            drop(runtime);
            drop((app, outbox));
        }
        self.start();
    }

    fn start(&mut self) {
        self.starts += 1;
        let runtime = runtime(&self.countdown);
        let (app, outbox) = runtime.block_on(async {
            let stores = self.deployment.open().await;
            let outbox = Arc::clone(&stores.outbox);
            let app = Arc::new(UseCases::new(self.deps(stores)));
            app.repair_all().await.unwrap();
            (app, outbox)
        });
        self.process = Some(Process {
            runtime,
            app,
            outbox,
        });
    }

    fn deps(&self, stores: Stores) -> Ports {
        let dir = self.deployment.dir.path();
        Ports {
            store: stores.store,
            queries: stores.queries,
            segments: stores.segments,
            warehouses: Arc::new(BigQueryWarehouses::new(
                Options::default(),
                Arc::new(SystemTimer),
            )),
            vault: Arc::new(Vault::new(&[7; 32])),
            contacts: stores.contacts,
            blobs: Arc::new(DiskBlobs::new(dir.join("files")).unwrap()),
            // Now and then the process starts on another machine, where no scratch is.
            spool: Arc::new(
                DiskSpool::new(dir.join(format!("scratch-{}", self.starts / 3))).unwrap(),
            ),
            formats: Arc::new(TabularFormats),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            guard: SizeGuard::default(),
            steps: STEPS,
            customer_events_kept: chrono::TimeDelta::days(30),
            // No other history has one of its processes.
            owner: format!(
                "process-{}-{}",
                self.deployment.first_workspace, self.starts
            ),
        }
    }

    /// Whether the end of the process may leave some rows of a request stored, and others not.
    pub const fn writes_in_parts(&self) -> bool {
        self.deployment.writes_in_parts()
    }

    /// The number of a workspace of the history among all of the stores.
    pub const fn workspace(&self, ws: usize) -> usize {
        self.deployment.first_workspace + ws
    }

    /// Ends the process so long after the next command began, wherever it is then.
    pub fn end_after(&self, time: Duration) {
        self.end_after.set(Some(time));
    }

    /// Arms the crash points: the one after `points - 1` others ends the process.
    pub fn arm(&self, points: u32) {
        *self.countdown.deed.lock().unwrap() = None;
        self.countdown.points.store(points, Ordering::Relaxed);
    }

    /// Arms them with a request to cancel what runs then and does not now.
    pub fn arm_cancel(&self, points: u32) {
        let app = Arc::clone(&self.process.as_ref().unwrap().app);
        let workspaces = [self.workspace(0), self.workspace(1)];
        let cut_off = self.run(move |app| async move { running(&app, workspaces).await });
        let deed: Deed = Box::new(move || {
            let cancelling = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(async {
                    for (by, id) in running(&app, workspaces).await {
                        if !cut_off.iter().flatten().any(|(_, before)| *before == id) {
                            let request_id = RequestId {
                                write_id: app.ids.next(),
                                keyed: false,
                            };
                            app.operations.cancel(&by, request_id, id).await.unwrap();
                        }
                    }
                    // Its worker hears of it in a moment.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                });
            });
            // Not on the worker: what it would do next has to be done by another.
            tokio::task::block_in_place(|| cancelling.join().unwrap());
        });
        *self.countdown.deed.lock().unwrap() = Some(deed);
        self.countdown.points.store(points, Ordering::Relaxed);
    }

    /// Runs `work` in the process; `None` when the process ended before: it came to the armed crash
    /// point, or its time was up.
    pub fn run<T, F>(&self, work: impl FnOnce(Arc<UseCases>) -> F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let process = self.process.as_ref().unwrap();
        let task = process.runtime.spawn(work(Arc::clone(&process.app)));
        let time = self.end_after.take();
        let ended = process.runtime.block_on(async {
            match time {
                Some(time) => tokio::time::timeout(time, task).await.ok(),
                None => Some(task.await),
            }
        });
        self.arm(0);
        let crashed = self.countdown.crashed.swap(false, Ordering::Relaxed);
        match ended? {
            Ok(done) => Some(done),
            Err(_) if crashed => None,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    pub fn request_id(&self) -> RequestId {
        RequestId {
            write_id: self.ids.next(),
            keyed: false,
        }
    }

    /// Terminal events that wait to be published, per operation.
    pub fn terminal_events(&self) -> BTreeMap<OperationId, usize> {
        let process = self.process.as_ref().unwrap();
        let (outbox, now) = (Arc::clone(&process.outbox), self.clock.now());
        let events = process.runtime.block_on(async {
            let mut events = Vec::new();
            loop {
                let lease = std::time::Duration::from_secs(3_600);
                let claimed = outbox.claim(1_000, now, lease).await.unwrap();
                if claimed.is_empty() {
                    return events;
                }
                let ids: Vec<_> = claimed.iter().map(|c| c.event.event_id.clone()).collect();
                outbox.mark_sent(&ids, now).await.unwrap();
                events.extend(ids);
            }
        });
        let mut counts = BTreeMap::new();
        for event in events {
            if let Some((operation, _)) = event.as_str().split_once(".finished.") {
                *counts.entry(operation.parse().unwrap()).or_default() += 1;
            }
        }
        counts
    }
}

pub fn actor(ws: usize) -> Actor {
    Actor {
        workspace: WorkspaceId::parse(&format!("ws{ws}")).unwrap(),
        user: UserId::parse("someone").unwrap(),
    }
}

/// The operations that run.
async fn running(app: &UseCases, workspaces: [usize; 2]) -> Vec<(Actor, OperationId)> {
    let mut running = Vec::new();
    for by in workspaces.map(actor) {
        let filter = OperationFilter {
            state: Some(OperationState::Running),
            limit: 100,
            ..OperationFilter::default()
        };
        let found = app.operations.find.list(&by, filter).await.unwrap().0;
        running.extend(found.iter().map(|o| (by.clone(), o.id)));
    }
    running
}

/// Works until there is nothing left to do.
pub async fn work_off(app: &Arc<UseCases>, pool: Pool) {
    while app.operations.work_once(pool).await.unwrap() == WorkOutcome::Worked {}
}
