//! What histories are played on: SQLite files of their own, or real servers, which they share as
//! workspaces do.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use adapter_mongo::{MongoContacts, MongoSettings};
use adapter_sql::{
    Context,
    contacts::{ContactsOptions, SqliteContacts, Synchronous},
    pg, sqlite,
};
use ports::{
    bus::OutboxQueue,
    contacts::ContactStore,
    segments::SegmentResolver,
    store::{AudienceQueries, AudienceStore},
};
use tempfile::TempDir;

use super::system::{Ids, TestClock, runtime};

/// How long a server on the same machine may take for what a process had sent before its end.
const BACKLOG: Duration = Duration::from_millis(20);

/// Where histories are played.
pub enum Backend {
    /// Files of its own for every history.
    Sqlite,
    /// PostgreSQL and MongoDB.
    Servers(Box<Servers>),
}

/// A schema and a database that histories have in common, each in workspaces of its own.
pub struct Servers {
    postgres: pg::Settings,
    mongo: MongoSettings,
    histories: AtomicUsize,
    clock: Arc<TestClock>,
    ids: Arc<Ids>,
}

/// Where one history is played.
pub struct Deployment {
    pub dir: TempDir,
    kind: DeploymentKind,
    pub first_workspace: usize,
    pub clock: Arc<TestClock>,
    pub ids: Arc<Ids>,
}

enum DeploymentKind {
    Sqlite,
    Servers {
        postgres: Box<pg::Settings>,
        mongo: MongoSettings,
    },
}

/// The stores as one process has them open.
pub struct Stores {
    pub store: Arc<dyn AudienceStore>,
    pub queries: Arc<dyn AudienceQueries>,
    pub segments: Arc<dyn SegmentResolver>,
    pub contacts: Arc<dyn ContactStore>,
    pub outbox: Arc<dyn OutboxQueue>,
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

const CONTEXTS: &[Context] = &[
    Context::Messaging,
    Context::Operations,
    Context::Audience,
    Context::Customer,
];

/// Migrated once; every history on files begins with a copy.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
    let dir = TEMPLATE.get_or_init(|| {
        let dir = folder();
        runtime(&Arc::default()).block_on(async {
            sqlite::Db::open(&dir.path().join("audience.db"))
                .await
                .unwrap()
                .migrate(CONTEXTS)
                .await
                .unwrap();
            let contacts = ContactsOptions::new(dir.path().join("contacts.db"));
            SqliteContacts::open(contacts).await.unwrap();
        });
        dir
    });
    dir.path()
}

impl Backend {
    /// A new schema and a new database on the servers that the environment names.
    pub fn servers() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut postgres = pg::Settings::new(test_kit::postgres_url()?);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("model_{}_{next}", std::process::id());
        postgres.schema = Some(name.clone());
        postgres.max_connections = 8;
        runtime(&Arc::default()).block_on(async {
            let db = pg::Db::open(&postgres).unwrap();
            db.migrate(CONTEXTS).await.unwrap();
        });
        let mut mongo = MongoSettings::new(test_kit::mongodb_url(), name);
        mongo.backlog = BACKLOG;
        Some(Self::Servers(Box::new(Servers {
            postgres,
            mongo,
            histories: AtomicUsize::new(0),
            clock: Arc::default(),
            ids: Arc::default(),
        })))
    }

    /// A place for a history that no other one has.
    pub fn deployment(&self) -> Deployment {
        let dir = folder();
        match self {
            Self::Sqlite => {
                for file in std::fs::read_dir(template()).unwrap() {
                    let file = file.unwrap();
                    std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
                }
                Deployment {
                    dir,
                    kind: DeploymentKind::Sqlite,
                    first_workspace: 0,
                    clock: Arc::default(),
                    ids: Arc::default(),
                }
            }
            Self::Servers(servers) => Deployment {
                dir,
                kind: DeploymentKind::Servers {
                    postgres: Box::new(servers.postgres.clone()),
                    mongo: servers.mongo.clone(),
                },
                first_workspace: 2 * servers.histories.fetch_add(1, Ordering::Relaxed),
                clock: Arc::clone(&servers.clock),
                ids: Arc::clone(&servers.ids),
            },
        }
    }
}

impl Deployment {
    /// SQLite writes the rows of one request in one transaction; MongoDB does not.
    pub const fn writes_in_parts(&self) -> bool {
        matches!(self.kind, DeploymentKind::Servers { .. })
    }

    pub async fn open(&self) -> Stores {
        match &self.kind {
            DeploymentKind::Sqlite => {
                let dir = self.dir.path();
                let db = sqlite::Db::open(&dir.join("audience.db")).await.unwrap();
                let contacts = ContactsOptions {
                    synchronous: Synchronous::Off,
                    readers: 1,
                    ..ContactsOptions::new(dir.join("contacts.db"))
                };
                let contacts = SqliteContacts::open(contacts).await.unwrap();
                Stores::of(Arc::new(db), Arc::new(contacts))
            }
            DeploymentKind::Servers { postgres, mongo } => {
                let db = pg::Db::open(postgres).unwrap();
                let contacts = MongoContacts::open(mongo).await.unwrap();
                Stores::of(Arc::new(db), Arc::new(contacts))
            }
        }
    }
}

impl Stores {
    fn of<Db>(db: Arc<Db>, contacts: Arc<dyn ContactStore>) -> Self
    where
        Db: AudienceStore + AudienceQueries + SegmentResolver + OutboxQueue + 'static,
    {
        Self {
            store: Arc::<Db>::clone(&db),
            queries: Arc::<Db>::clone(&db),
            segments: Arc::<Db>::clone(&db),
            contacts,
            outbox: db,
        }
    }
}
