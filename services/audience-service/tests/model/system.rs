//! The application on SQLite files, as it can be started, ended at once, and started again.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use adapter_sql::{
    contacts::{ContactsOptions, SqliteContacts, Synchronous},
    sqlite::Db,
};
use audience_service::application::{
    Actor, App, Deps, StepSizes, Ticket,
    contacts::ContactCursor,
    operations::{Pool, WorkOutcome},
};
use domain::{
    operation::OperationState,
    shared::{Instant, OperationId, UserId, WorkspaceId},
};
use ports::{Clock, IdGenerator, bus::OutboxQueue, crash, store::OperationFilter};
use tempfile::TempDir;
use tokio::runtime::Runtime;

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
struct Countdown {
    points: AtomicU32,
    /// Instead of the end of the process.
    deed: Mutex<Option<Deed>>,
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
                None => std::panic::resume_unwind(Box::new(Crashed)),
            }
        }
    }));
}

/// Time that only the test moves.
pub struct TestClock(AtomicI64);

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

struct Ids(AtomicI64);

impl IdGenerator for Ids {
    fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A running process.
struct Process {
    runtime: Runtime,
    app: Arc<App>,
    db: Db,
}

/// The files, and the process that has them open.
pub struct System {
    dir: TempDir,
    process: Option<Process>,
    countdown: Arc<Countdown>,
    pub clock: Arc<TestClock>,
    ids: Arc<Ids>,
    starts: u32,
    pub cursor: Option<ContactCursor>,
}

/// A folder in memory where there is one: nothing here outlives the test.
fn folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    let made = if shm.is_dir() {
        TempDir::new_in(shm)
    } else {
        TempDir::new()
    };
    made.unwrap()
}

/// Threads that work, one of which a deed may hold up, and the crash points of this process for all its threads.
fn runtime(countdown: &Arc<Countdown>) -> Runtime {
    let countdown = Arc::clone(countdown);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || ARMED.set(Some(Arc::clone(&countdown))))
        .enable_all()
        .build()
        .unwrap()
}

/// Migrated once; every system begins with a copy.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
    let dir = TEMPLATE.get_or_init(|| {
        let dir = folder();
        runtime(&Arc::default()).block_on(async {
            Db::open(&dir.path().join("audience.db"))
                .await
                .unwrap()
                .migrate()
                .await
                .unwrap();
            let contacts = ContactsOptions::new(dir.path().join("contacts.db"));
            SqliteContacts::open(contacts).await.unwrap();
        });
        dir
    });
    dir.path()
}

impl System {
    pub fn new() -> Self {
        let dir = folder();
        for file in std::fs::read_dir(template()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
        }
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000)));
        let ids = Arc::new(Ids(AtomicI64::new(1_000_000)));
        install_crash_points();
        let mut system = Self {
            dir,
            process: None,
            countdown: Arc::default(),
            clock,
            ids,
            starts: 0,
            cursor: None,
        };
        system.start();
        system
    }

    /// Ends the process as a kill does, and starts another one on its files.
    pub fn restart(&mut self) {
        self.arm(0);
        if let Some(Process { runtime, app, db }) = self.process.take() {
            drop(runtime);
            drop((app, db));
        }
        self.start();
    }

    fn start(&mut self) {
        self.starts += 1;
        let runtime = runtime(&self.countdown);
        let (app, db) = runtime.block_on(async {
            let db = Db::open(&self.dir.path().join("audience.db"))
                .await
                .unwrap();
            let app = Arc::new(App::new(self.deps(&db).await));
            app.repair_all().await.unwrap();
            (app, db)
        });
        self.process = Some(Process { runtime, app, db });
    }

    async fn deps(&self, db: &Db) -> Deps {
        let dir = self.dir.path();
        let contacts = ContactsOptions {
            synchronous: Synchronous::Off,
            readers: 1,
            ..ContactsOptions::new(dir.join("contacts.db"))
        };
        Deps {
            store: Arc::new(db.clone()),
            queries: Arc::new(db.clone()),
            contacts: Arc::new(SqliteContacts::open(contacts).await.unwrap()),
            blobs: Arc::new(DiskBlobs::new(dir.join("files")).unwrap()),
            spool: Arc::new(DiskSpool::new(dir.join("scratch")).unwrap()),
            formats: Arc::new(TabularFormats),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            steps: STEPS,
            customer_events_kept: chrono::TimeDelta::days(30),
            owner: format!("process-{}", self.starts),
        }
    }

    /// Arms the crash points: the one after `points - 1` others ends the process.
    pub fn arm(&self, points: u32) {
        *self.countdown.deed.lock().unwrap() = None;
        self.countdown.points.store(points, Ordering::Relaxed);
    }

    /// Arms them with a request to cancel what runs then and does not now.
    pub fn arm_cancel(&self, points: u32) {
        let app = Arc::clone(&self.process.as_ref().unwrap().app);
        let cut_off = self.run(|app| async move { running(&app).await });
        let deed: Deed = Box::new(move || {
            let cancelling = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(async {
                    for (by, id) in running(&app).await {
                        if !cut_off.iter().flatten().any(|(_, before)| *before == id) {
                            let ticket = Ticket {
                                write_id: app.deps().ids.next(),
                                keyed: false,
                            };
                            app.cancel_operation(&by, ticket, id).await.unwrap();
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

    /// Runs `work` in the process; `None` when it came to the armed crash point.
    pub fn run<T, F>(&self, work: impl FnOnce(Arc<App>) -> F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let process = self.process.as_ref().unwrap();
        let task = process.runtime.spawn(work(Arc::clone(&process.app)));
        let ended = process.runtime.block_on(task);
        self.arm(0);
        match ended.map_err(|e| e.into_panic()) {
            Ok(done) => Some(done),
            Err(panic) if panic.is::<Crashed>() => None,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    pub fn ticket(&self) -> Ticket {
        Ticket {
            write_id: self.ids.next(),
            keyed: false,
        }
    }

    /// Terminal events that wait to be published, per operation.
    pub fn terminal_events(&self) -> BTreeMap<OperationId, usize> {
        let process = self.process.as_ref().unwrap();
        let (db, now) = (process.db.clone(), self.clock.now());
        let events = process.runtime.block_on(async {
            let mut events = Vec::new();
            loop {
                let lease = std::time::Duration::from_secs(3_600);
                let claimed = OutboxQueue::claim(&db, 1_000, now, lease).await.unwrap();
                if claimed.is_empty() {
                    return events;
                }
                let ids: Vec<_> = claimed.iter().map(|c| c.event.event_id.clone()).collect();
                db.mark_sent(&ids, now).await.unwrap();
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
async fn running(app: &App) -> Vec<(Actor, OperationId)> {
    let mut running = Vec::new();
    for by in [actor(0), actor(1)] {
        let filter = OperationFilter {
            state: Some(OperationState::Running),
            limit: 100,
            ..OperationFilter::default()
        };
        let found = app.operations(&by, filter).await.unwrap().0;
        running.extend(found.iter().map(|o| (by.clone(), o.id)));
    }
    running
}

/// Works until there is nothing left to do.
pub async fn work_off(app: &Arc<App>, pool: Pool) {
    while app.work_once(pool).await.unwrap() == WorkOutcome::Worked {}
}
