//! A schema of its own, the CRM as a program beside, and replicas.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use adapter_crm::{AllowedHosts, HttpCrm, SystemLookup};
use adapter_sql::{
    Context,
    pg::{Db, Settings},
};
use domain::{
    importing::RequestsPerMinute,
    shared::{UserId, WorkspaceId},
};
use import_job_service::{
    client::NewClient,
    run::Policy,
    use_cases::{Setup, UseCases},
};
use kernel::{Actor, RequestId};
use ports::{
    IdGenerator,
    crm::RateBudget,
    importing::{ImportClient, ImportKind, Run},
};
use runtime::{Snowflakes, SystemClock};

use crate::doubles::Plain;

/// The CRM; it ends with this.
pub struct Crm {
    process: Child,
    pub url: String,
}

impl Crm {
    pub fn start(program: &Path, arguments: &[String]) -> Self {
        let mut process = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("ready ").unwrap().to_owned();
        Self { process, url }
    }

    /// What its control path answers.
    pub async fn control(&self, method: reqwest::Method, path: &str) -> String {
        let url = format!("{}/_control/{path}", self.url);
        let answer = reqwest::Client::new().request(method, url).send().await;
        answer.unwrap().text().await.unwrap()
    }
}

impl Drop for Crm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A database of its own.
pub async fn database() -> Db {
    let url = std::env::var("PLATEIA_TEST_POSTGRES_URL")
        .expect("PLATEIA_TEST_POSTGRES_URL names the server; `make bench-imports` starts one");
    let mut settings = Settings::new(url);
    settings.schema = Some(format!("bench_{}", std::process::id()));
    let db = Db::open(&settings).unwrap();
    let contexts = &[Context::Messaging, Context::Operations, Context::Importing];
    db.migrate(contexts).await.unwrap();
    db
}

/// One replica.
pub fn replica(
    db: &Db,
    crm: &Crm,
    node: u16,
    budget: Arc<dyn RateBudget>,
    requests_per_minute: i64,
) -> UseCases {
    let limits = adapter_crm::Settings {
        allowed_hosts: AllowedHosts::parse(crm.url.trim_start_matches("http://")).unwrap(),
        ..adapter_crm::Settings::default()
    };
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Snowflakes::new(node, clock.clone()).unwrap());
    UseCases::new(&Setup {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        crm: Arc::new(HttpCrm::new(limits, Arc::new(SystemLookup), clock.clone())),
        budget,
        vault: Arc::new(Plain),
        clock,
        owner: format!("bench-{node}-{}", ids.next()),
        ids,
        policy: Policy {
            start_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            requests_per_minute: RequestsPerMinute::new(requests_per_minute).unwrap(),
        },
    })
}

pub fn actor() -> Actor {
    Actor {
        workspace: WorkspaceId::parse("ws_bench").unwrap(),
        user: UserId::parse("bench").unwrap(),
    }
}

fn request_id(cases: &UseCases) -> RequestId {
    RequestId {
        write_id: cases.start_run.starter.ids.next(),
        keyed: false,
    }
}

/// The client whose CRM this is.
pub async fn client(cases: &UseCases, crm: &Crm) -> ImportClient {
    let new = NewClient {
        slug: "bench".to_owned(),
        name: None,
        active: true,
        base_url: crm.url.clone(),
        token: "bench".to_owned(),
        requests_per_minute: None,
        tls_verify: true,
        schedule: None,
    };
    let create = &cases.create_client;
    let created = create.execute(&actor(), request_id(cases), new).await;
    created.unwrap()
}

/// Begins a run and claims it.
pub async fn begin(
    cases: &UseCases,
    client: &ImportClient,
    kind: ImportKind,
) -> (Run, impl Future<Output = ()> + Send + use<>) {
    let run = cases
        .start_run
        .execute(&actor(), request_id(cases), client.id, kind)
        .await;
    let worker = cases.worker.clone();
    let claimed = worker.claim().await.unwrap().unwrap();
    (run.unwrap(), async move { worker.work_on(claimed).await })
}
