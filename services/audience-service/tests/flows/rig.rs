//! The application on embedded adapters, without HTTP.

use std::sync::Arc;

use adapter_bigquery::{
    SystemTimer,
    segments::{BigQueryWarehouses, Options},
};
use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use adapter_sql::{
    Context,
    contacts::{ContactsOptions, SqliteContacts, Synchronous},
    sqlite::Db,
};
use audience_service::{
    Actor, AppResult, Ports, RequestId, StepSizes, UseCases,
    contact::write::ContactItems,
    control::{Pool, WorkOutcome},
    creation::CreationRequest,
    operation::Accepted,
    recycle::{RecycleAnswer, RecycleRequest, SetSource},
    upload::{Received, UploadInto},
};
use domain::{
    audience::{AudienceStatus, Source, Tags},
    contact::Document,
    operation::Operation,
    recycle::Rules,
    shared::{AudienceId, AudienceName, OperationId, UserId, WorkspaceId},
};
use ports::IdGenerator;
use runtime::{Snowflakes, SystemClock};
use sealing::Vault;
use serde_json::{Value, json};

pub struct Rig {
    pub app: Arc<UseCases>,
    pub ports: Ports,
    pub db: Db,
    ids: Arc<dyn IdGenerator>,
    _dir: tempfile::TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// On other ports than the usual ones.
    pub async fn with(change: impl FnOnce(&mut Ports)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("audience.db")).await.unwrap();
        db.migrate(Context::ALL).await.unwrap();
        let mut options = ContactsOptions::new(dir.path().join("contacts.db"));
        options.synchronous = Synchronous::Off;
        let ids: Arc<dyn IdGenerator> =
            Arc::new(Snowflakes::new(0, Arc::new(SystemClock)).unwrap());
        let mut deps = Ports {
            store: Arc::new(db.clone()),
            queries: Arc::new(db.clone()),
            segments: Arc::new(db.clone()),
            warehouses: Arc::new(BigQueryWarehouses::new(
                Options::default(),
                Arc::new(SystemTimer),
            )),
            vault: Arc::new(Vault::new(&[7; 32])),
            contacts: Arc::new(SqliteContacts::open(options).await.unwrap()),
            blobs: Arc::new(DiskBlobs::new(dir.path().join("files")).unwrap()),
            spool: Arc::new(DiskSpool::new(dir.path().join("scratch")).unwrap()),
            formats: Arc::new(TabularFormats),
            clock: Arc::new(SystemClock),
            ids: Arc::clone(&ids),
            guard: audience_service::segment::SizeGuard::default(),
            steps: StepSizes::default(),
            customer_events_kept: chrono::TimeDelta::days(30),
            owner: "test".into(),
        };
        change(&mut deps);
        Self {
            app: Arc::new(UseCases::new(deps.clone())),
            ports: deps,
            db,
            ids,
            _dir: dir,
        }
    }

    /// The same stores on another machine: none of the scratch files of this one is there.
    pub fn elsewhere(&self) -> UseCases {
        let mut ports = self.ports.clone();
        let scratch = self._dir.path().join("scratch-elsewhere");
        ports.spool = Arc::new(DiskSpool::new(scratch).unwrap());
        ports.owner = "elsewhere".into();
        UseCases::new(ports)
    }

    pub fn actor(&self) -> Actor {
        Actor {
            workspace: WorkspaceId::parse("ws_1").unwrap(),
            user: UserId::parse("u_1").unwrap(),
        }
    }

    pub fn request_id(&self) -> RequestId {
        RequestId {
            write_id: self.ids.next(),
            keyed: false,
        }
    }

    pub async fn create(&self, name: &str, documents: &[&str]) -> AudienceId {
        self.try_create(name, documents).await.unwrap()
    }

    pub async fn try_create(&self, name: &str, documents: &[&str]) -> AppResult<AudienceId> {
        let command = CreationRequest {
            name: AudienceName::parse(name).unwrap(),
            icon: None,
            tags: Tags::default(),
            status: AudienceStatus::Active,
            definition: Default::default(),
            source: Source::Api,
            contacts: contacts(documents),
        };
        let created = self
            .app
            .create
            .execute(&self.actor(), self.request_id(), command)
            .await?;
        Ok(created.audience.id)
    }

    /// Asks for a new audience of a file.
    pub async fn create_from_csv(&self, name: &str, csv: &str) -> Accepted {
        let actor = self.actor();
        let received = Received {
            chunks: futures::stream::iter([Ok::<_, std::io::Error>(csv.to_owned().into_bytes())]),
            file_name: Some("base.csv".into()),
            content_type: Some("text/csv".into()),
            length: None,
            options: Default::default(),
        };
        let received = self
            .app
            .uploads
            .receive
            .execute(&actor, self.request_id(), received);
        let command = UploadInto {
            upload: received.await.unwrap().upload.id,
            mapping: None,
            require_valid_document: false,
        };
        let accepted = self.app.uploads.bring_in.into_new(
            &actor,
            self.request_id(),
            AudienceName::parse(name).unwrap(),
            Tags::default(),
            AudienceStatus::Active,
            command,
        );
        accepted.await.unwrap()
    }

    pub async fn work(&self) {
        for pool in Pool::ALL {
            while self.app.operations.work_once(pool).await.unwrap() == WorkOutcome::Worked {}
        }
    }

    pub async fn members(&self, id: AudienceId) -> Vec<String> {
        let page = self
            .app
            .contacts
            .read
            .walk(&self.actor(), id, None, 1000)
            .await
            .unwrap();
        let count = self
            .app
            .find
            .visible(&self.actor(), id)
            .await
            .unwrap()
            .contacts;
        assert_eq!(count, page.rows.len() as i64, "the count is exact");
        let numbered = self
            .app
            .contacts
            .read
            .page(&self.actor(), id, 1, 1000)
            .await
            .unwrap();
        assert_eq!(numbered.total, page.rows.len() as u64);
        page.rows
            .into_iter()
            .map(|c| c.document.as_str().to_owned())
            .collect()
    }

    pub async fn recycle(&self, id: AudienceId, documents: &[&str], to_new: bool) -> OperationId {
        let operation = self.ask_to_recycle(id, documents, to_new).await;
        self.work().await;
        operation
    }

    pub async fn ask_to_recycle(
        &self,
        id: AudienceId,
        documents: &[&str],
        to_new: bool,
    ) -> OperationId {
        let request = Self::recycling(documents, to_new);
        let answer = self
            .app
            .recycle
            .execute(&self.actor(), self.request_id(), id, request)
            .await
            .unwrap();
        let RecycleAnswer::Accepted(accepted) = answer else {
            panic!("not accepted")
        };
        accepted.operation
    }

    /// A request that removes these documents.
    pub fn recycling(documents: &[&str], to_new: bool) -> RecycleRequest {
        RecycleRequest {
            rules: Rules {
                opted_out: true,
                ..Rules::default()
            },
            documents: SetSource {
                documents: documents
                    .iter()
                    .map(|d| Document::parse(d).unwrap())
                    .collect(),
                upload: None,
            },
            keep_audiences: Vec::new(),
            keep_documents: Vec::new(),
            new_audience: to_new.then_some(None),
            dry_run: false,
            plan: None,
            plan_tolerance: 0,
        }
    }

    pub async fn operation(&self, id: OperationId) -> Operation {
        self.app
            .operations
            .find
            .get(&self.actor(), id)
            .await
            .unwrap()
    }
}

pub fn contacts(documents: &[&str]) -> ContactItems {
    let item = |d: &&str| json!({ "document": d, "name": "N", "phone": "11999999999" });
    ContactItems {
        items: documents.iter().map(item).collect::<Vec<Value>>(),
        strict: false,
        require_valid_document: false,
    }
}
