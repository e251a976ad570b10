//! Use cases, a database, and a CRM.

use std::{sync::Arc, time::Duration};

use adapter_crm::{AllowedHosts, HttpCrm, Settings, SystemLookup, wire};
use adapter_sql::{Context, sqlite::Db};
use domain::{
    importing::{
        ImportReport, RequestsPerMinute,
        rows::{Contact, RowKind, Ticket},
    },
    operation::{OperationState, Report},
    shared::{Instant, UserId, WorkspaceId},
};
use fake_crm::{Endpoint, Fake, Plan};
use import_job_service::{
    client::NewClient,
    run::Policy,
    use_cases::{Setup, UseCases},
};
use kernel::{Actor, AppError, RequestId};
use ports::{
    IdGenerator,
    crm::{Crm, RateBudget},
    importing::{
        ImportClient, ImportKind, ImportQueries, ImportStore, Run, Stored, TicketMessages,
    },
};
use runtime::{Snowflakes, SystemClock};

use crate::doubles::{Plain, Unlimited};

pub const TOKEN: &str = "s3cret";

pub struct Rig {
    pub cases: UseCases,
    pub db: Db,
    pub fake: Fake,
    pub client: ImportClient,
    pub setup: Setup,
    _dir: tempfile::TempDir,
}

/// What only the database needs.
pub async fn database() -> (Db, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("imports.db")).await.unwrap();
    let contexts = &[Context::Messaging, Context::Operations, Context::Importing];
    db.migrate(contexts).await.unwrap();
    (db, dir)
}

pub fn setup<D>(db: &D, crm: Arc<dyn Crm>, budget: Arc<dyn RateBudget>) -> Setup
where
    D: ImportStore + ImportQueries + Clone + 'static,
{
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Snowflakes::new(1, Arc::new(SystemClock)).unwrap());
    Setup {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        crm,
        budget,
        vault: Arc::new(Plain),
        clock,
        owner: format!("test-{}", ids.next()),
        ids,
        policy: Policy {
            start_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            // One request at a time.
            requests_per_minute: RequestsPerMinute::new(50).unwrap(),
        },
    }
}

pub fn actor() -> Actor {
    Actor {
        workspace: WorkspaceId::parse("ws_1").unwrap(),
        user: UserId::parse("ana").unwrap(),
    }
}

pub fn request_id(setup: &Setup) -> RequestId {
    RequestId {
        write_id: setup.ids.next(),
        keyed: false,
    }
}

pub fn new_client(slug: &str, base_url: &str) -> NewClient {
    NewClient {
        slug: slug.to_owned(),
        name: None,
        active: true,
        base_url: base_url.to_owned(),
        token: TOKEN.to_owned(),
        requests_per_minute: None,
        tls_verify: true,
        schedule: None,
    }
}

/// CRMs over HTTP, of which this one may be on the loopback interface.
pub fn crm_at(fake: &Fake) -> Arc<dyn Crm> {
    let host = fake.url.trim_start_matches("http://");
    let settings = Settings {
        allowed_hosts: AllowedHosts::parse(host).unwrap(),
        ..Settings::default()
    };
    Arc::new(HttpCrm::new(
        settings,
        Arc::new(SystemLookup),
        Arc::new(SystemClock),
    ))
}

impl Rig {
    pub async fn new(plan: Plan) -> Self {
        let plan = Plan {
            token: Some(TOKEN.to_owned()),
            ..plan
        };
        let fake = Fake::start(plan).unwrap();
        let (db, dir) = database().await;
        let setup = setup(&db, crm_at(&fake), Arc::new(Unlimited));
        let cases = UseCases::new(&setup);
        let new = new_client("acme", &fake.url);
        let create = &cases.create_client;
        let client = create.execute(&actor(), request_id(&setup), new).await;
        Self {
            client: client.unwrap(),
            cases,
            db,
            fake,
            setup,
            _dir: dir,
        }
    }

    /// Another process on the same database, where nobody holds a lease any more.
    pub async fn restart(&mut self) {
        let mut unit = self.db.begin_import().await.unwrap();
        unit.operations().release_leases().await.unwrap();
        unit.commit().await.unwrap();
        self.setup.owner = format!("test-{}", self.setup.ids.next());
        self.cases = UseCases::new(&self.setup);
    }

    /// A request without a key.
    pub fn request_id(&self) -> RequestId {
        request_id(&self.setup)
    }

    pub async fn start(&self, kind: ImportKind) -> Run {
        let started = self
            .cases
            .start_run
            .execute(&actor(), self.request_id(), self.client.id, kind)
            .await;
        started.unwrap()
    }

    /// Works until nothing is due.
    pub async fn work(&self) {
        while let Some(claimed) = self.cases.worker.claim().await.unwrap() {
            self.cases.worker.work_on(claimed).await;
        }
    }

    /// A whole run.
    pub async fn run(&self, kind: ImportKind) -> Run {
        let run = self.start(kind).await;
        self.work().await;
        self.look(&run).await
    }

    /// Both runs, which must succeed.
    pub async fn import(&self) -> [Run; 2] {
        let mut runs = Vec::new();
        for kind in [ImportKind::Tickets, ImportKind::Contacts] {
            let run = self.run(kind).await;
            assert_eq!(run.operation.state, OperationState::Succeeded, "{run:?}");
            assert!(report(&run).balances(), "{run:?}");
            runs.push(run);
        }
        runs.try_into().unwrap()
    }

    pub async fn cancel(&self, run: &Run) -> Result<Run, AppError> {
        let id = run.operation.id;
        operations::cancel(&*self.cases.control, &actor(), self.request_id(), id).await?;
        self.cases.runs.get(&actor(), id).await
    }

    pub async fn retry(&self, run: &Run) -> Result<Run, AppError> {
        let id = run.operation.id;
        operations::retry(&*self.cases.control, &actor(), self.request_id(), id).await?;
        self.cases.runs.get(&actor(), id).await
    }

    pub async fn look(&self, run: &Run) -> Run {
        self.cases
            .runs
            .get(&actor(), run.operation.id)
            .await
            .unwrap()
    }

    pub async fn cursor(&self) -> Option<Instant> {
        let mut unit = self.db.begin_import().await.unwrap();
        unit.runs().cursor(self.client.id).await.unwrap()
    }

    pub async fn contacts_page(&self) -> u64 {
        let mut unit = self.db.begin_import().await.unwrap();
        unit.runs().contacts_page(self.client.id).await.unwrap()
    }

    pub async fn count(&self, kind: RowKind) -> u64 {
        let mut unit = self.db.begin_import().await.unwrap();
        unit.rows().count(self.client.id, kind).await.unwrap().0
    }

    /// Requests of a list so far.
    pub fn asked(&self, list: Endpoint) -> usize {
        let log = self.fake.log();
        log.requests().iter().filter(|r| r.on == list).count()
    }

    /// Whether every row of the CRM is stored, in the version it has now.
    pub async fn equals_the_crm(&self) -> Result<(), AppError> {
        let (tickets, contacts, messages) = {
            let world = self.fake.world();
            let tickets: Vec<_> = world.tickets().collect();
            let contacts: Vec<_> = world.contacts().collect();
            let messages: Vec<_> = world.messages().collect();
            (tickets, contacts, messages)
        };
        let id = self.client.id;
        // Writing them again would change nothing; it is not committed.
        let mut unit = self.db.begin_import().await?;
        let tickets = wire::read::<Ticket>(tickets).take_rows();
        let contacts = wire::read::<Contact>(contacts).take_rows();
        let stored = unit.rows().put_tickets(id, &tickets).await?;
        assert_eq!(stored, Stored::default(), "tickets differ");
        let stored = unit.rows().put_contacts(id, &contacts).await?;
        assert_eq!(stored, Stored::default(), "contacts differ");
        for of in messages.chunk_by(|one, other| one.0 == other.0) {
            let rows = of.iter().map(|(_, message)| message.clone()).collect();
            let messages = TicketMessages {
                ticket: domain::importing::ExternalId::from_stored(of[0].0.clone()),
                messages: wire::read(rows).take_rows(),
            };
            let stored = unit.rows().put_messages(id, &[messages]).await?;
            assert_eq!(stored, Stored::default(), "messages differ");
        }
        Ok(())
    }

    /// How many customers left for the bus, by their external ids, in the order of the batches.
    pub async fn synced(&self) -> Vec<events::v1::SyncedCustomer> {
        use ports::bus::OutboxQueue;
        let far = "2100-01-01T00:00:00Z".parse().unwrap();
        let lease = Duration::from_secs(0);
        let mut found = Vec::new();
        loop {
            let claims = self.db.claim(100, far, lease).await.unwrap();
            let ids: Vec<_> = claims.iter().map(|c| c.event.event_id.clone()).collect();
            if ids.is_empty() {
                return found;
            }
            for claim in claims {
                let event =
                    events::Envelope::<events::v1::CustomersSynced>::decode(&claim.event.payload);
                found.extend(event.into_iter().flat_map(|event| event.data.customers));
            }
            self.db.mark_sent(&ids, far).await.unwrap();
        }
    }
}

pub fn report(run: &Run) -> ImportReport {
    match &run.operation.report {
        Some(Report::Import(report)) => *report,
        other => panic!("{other:?}"),
    }
}

pub fn code(run: &Run) -> &str {
    assert_eq!(run.operation.state, OperationState::Failed, "{run:?}");
    &run.operation.error.as_ref().unwrap().code
}
