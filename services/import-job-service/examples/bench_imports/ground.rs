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
use import_job_service::application::{Actor, App, Deps, Policy, RequestId, clients::NewClient};
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
) -> Arc<App> {
    let limits = adapter_crm::Settings {
        allowed_hosts: AllowedHosts::parse(crm.url.trim_start_matches("http://")).unwrap(),
        ..adapter_crm::Settings::default()
    };
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Snowflakes::new(node, clock.clone()).unwrap());
    let deps = Deps {
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
    };
    Arc::new(App::new(deps))
}

pub fn actor() -> Actor {
    Actor {
        workspace: WorkspaceId::parse("ws_bench").unwrap(),
        user: UserId::parse("bench").unwrap(),
    }
}

fn request_id(app: &App) -> RequestId {
    RequestId {
        write_id: app.deps().ids.next(),
        keyed: false,
    }
}

/// The client whose CRM this is.
pub async fn client(app: &App, crm: &Crm) -> ImportClient {
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
    app.create_client(&actor(), request_id(app), new)
        .await
        .unwrap()
}

/// Begins a run and claims it.
pub async fn begin(
    app: &Arc<App>,
    client: &ImportClient,
    kind: ImportKind,
) -> (Run, impl Future<Output = ()> + Send + use<>) {
    let run = app
        .start_run(&actor(), request_id(app), client.id, kind)
        .await;
    let claimed = app.claim().await.unwrap().unwrap();
    let app = Arc::clone(app);
    (run.unwrap(), async move { app.work_on(claimed).await })
}
