//! One user with an audience of their own, one command after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use api_types::{
    audiences::{AudienceJson, CreatedJson, NewAudience},
    contacts::{NewContacts, WrittenJson},
    operations::{OperationJson, UploadReportJson},
    uploads::{FileInto, UploadJson},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Shape, View,
    client::Caller,
    shared::{items, wrote},
};
use crate::history::{Claim, Command, Contact, Effect, History};

/// Longest wait for an operation: leases of dead replicas, several times.
const PATIENCE: Duration = Duration::from_secs(240);

/// A user.
pub struct Lane {
    pub(super) caller: Caller,
    pub(super) user: String,
    pub(super) shape: Shape,
    pub(super) history: Arc<History>,
    view: Arc<View>,
    pub(super) random: StdRng,
    audience: String,
    pub(super) made: usize,
    step: u64,
    /// Documents that are in the audience, so that something can be removed.
    pub(super) there: BTreeSet<String>,
}

impl Lane {
    pub fn new(
        caller: Caller,
        user: &str,
        shape: Shape,
        history: Arc<History>,
        view: Arc<View>,
    ) -> Self {
        Self {
            caller,
            user: user.to_owned(),
            shape,
            history,
            view,
            random: StdRng::from_os_rng(),
            audience: String::new(),
            made: 0,
            step: 0,
            there: BTreeSet::new(),
        }
    }

    /// Sends commands until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        if let Err(error) = self.create().await {
            return self.history.anomaly(format!("{error:#}"));
        }
        while !stop.is_cancelled() {
            let ended = if self.shape.no_operations {
                self.at_once().await
            } else {
                self.any().await
            };
            if let Err(error) = ended {
                // What is there now is known to nobody: this user goes home.
                return self.history.anomaly(format!("{error:#}"));
            }
            sleep(self.shape.pause).await;
        }
    }

    async fn any(&mut self) -> anyhow::Result<()> {
        match self.random.random_range(0..17) {
            0..5 => self.insert().await,
            5..8 => self.recycle().await,
            8..10 => self.remove_one_by_one().await,
            10..12 => self.recycle_in_two().await,
            12 => self.clear().await,
            13 => self.upload().await,
            14 => self.recycle_to_new().await,
            15 => self.create().await,
            _ => self.drop_and_restore().await,
        }
    }

    async fn at_once(&mut self) -> anyhow::Result<()> {
        match self.random.random_range(0..13) {
            0 => self.create().await,
            1 => self.drop_and_restore().await,
            2 => self.remove_one_by_one().await,
            _ => self.insert().await,
        }
    }

    fn key(&mut self) -> String {
        self.step += 1;
        format!("{}-{}", self.user, self.step)
    }

    pub(super) async fn send<T: DeserializeOwned>(
        &mut self,
        method: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let key = self.key();
        let request = self.caller.json(method, path, &key, body);
        let sent = self
            .caller
            .command(&request, &self.history, self.shape.abandon);
        sent.await?.read()
    }

    /// Sends what is answered in the same way each time, and may be refused for these reasons.
    pub(super) async fn ask(
        &mut self,
        method: &'static str,
        path: &str,
        refusals: &[&str],
    ) -> anyhow::Result<()> {
        let key = self.key();
        let request = self.caller.json(method, path, &key, &json!({}));
        let answer = self
            .caller
            .answer(&request, &self.history, self.shape.abandon)
            .await?;
        let expected = answer.is_success() || refusals.contains(&answer.code().as_str());
        ensure!(expected, "{method} {path}: {}", answer.told());
        Ok(())
    }

    pub(super) fn path(&self) -> String {
        format!("/api/v1/audiences/{}", self.audience)
    }

    fn some(&mut self, most: usize) -> Vec<Contact> {
        let count = self.random.random_range(1..=most);
        let contacts = 0..self.shape.contacts;
        let numbers: Vec<usize> = (0..count)
            .map(|_| self.random.random_range(contacts.clone()))
            .collect();
        self.named(numbers)
    }

    /// The contacts of these numbers, under the name of this step.
    fn named(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<Contact> {
        let (workspace, user) = (&self.caller.workspace, &self.user);
        let owner = format!("{workspace}-{user}").to_uppercase();
        let name = format!("name {}", self.step);
        let contact = |number| (format!("{owner}-{number:05}"), name.clone());
        numbers.into_iter().map(contact).collect()
    }

    pub(super) fn done(&self, effect: Effect, claim: Claim) {
        self.history.acknowledged(Command {
            audience: self.audience.clone(),
            writer: self.user.clone(),
            effect,
            claim,
        });
    }

    pub(super) fn allow(&self, counts: Option<[usize; 2]>) {
        let counts = counts.map(|counts| counts.map(|count| count as u64));
        self.view.allow(&self.audience, counts);
    }

    /// Readers see that which is there now, and nothing else.
    pub(super) fn settle(&self) {
        self.allow(Some([self.there.len(); 2]));
    }

    async fn create(&mut self) -> anyhow::Result<()> {
        if self.made >= self.shape.audiences {
            return self.insert().await;
        }
        let contacts = if self.shape.full {
            self.named(0..self.shape.contacts)
        } else {
            self.some(self.shape.contacts / 2)
        };
        let body = NewAudience {
            name: format!("{} {}", self.user, self.made),
            data: Some(items(&contacts)),
            ..NewAudience::default()
        };
        let made: CreatedJson = self.send("POST", "/api/v1/audiences", &body).await?;
        self.made += 1;
        self.audience = made.audience.id;
        self.there = contacts
            .iter()
            .map(|(document, _)| document.clone())
            .collect();
        let claim = wrote(made.written.inserted, made.written.updated);
        let workspace = self.caller.workspace.clone();
        self.done(
            Effect::Create {
                workspace,
                contacts,
            },
            claim,
        );
        self.settle();
        Ok(())
    }

    fn wrote(&mut self, contacts: Vec<Contact>, claim: Claim) {
        self.there
            .extend(contacts.iter().map(|(document, _)| document.clone()));
        self.done(Effect::Write { contacts }, claim);
        self.settle();
    }

    pub(super) async fn insert(&mut self) -> anyhow::Result<()> {
        let contacts = self.some(60);
        self.allow(None);
        let body = NewContacts {
            data: items(&contacts),
            ..NewContacts::default()
        };
        let path = format!("{}/contacts", self.path());
        let written: WrittenJson = self.send("POST", &path, &body).await?;
        self.wrote(contacts, wrote(written.inserted, written.updated));
        Ok(())
    }

    async fn upload(&mut self) -> anyhow::Result<()> {
        // Each document once: a repeated one is counted by the file's rules, not the request's.
        let contacts: BTreeMap<String, String> = self.some(150).into_iter().collect();
        let contacts: Vec<Contact> = contacts.into_iter().collect();
        let rows = contacts
            .iter()
            .map(|(document, name)| format!("{document},{name}\n"));
        let file: String = ["document,name\n".to_owned()]
            .into_iter()
            .chain(rows)
            .collect();
        let key = self.key();
        let request = self.caller.file(&key, file);
        let sent = self
            .caller
            .command(&request, &self.history, self.shape.abandon)
            .await?;
        self.allow(None);
        let upload: UploadJson = sent.read()?;
        let body = FileInto {
            upload_id: upload.id,
            ..FileInto::default()
        };
        let path = format!("{}/uploads", self.path());
        let accepted: OperationJson = self.send("POST", &path, &body).await?;
        let ended = self.ended(&accepted.id).await?;
        let report: UploadReportJson = ended.report_as().context("no report")?;
        self.wrote(contacts, wrote(report.created, report.updated));
        Ok(())
    }

    async fn drop_and_restore(&mut self) -> anyhow::Result<()> {
        let path = self.path();
        self.send::<AudienceJson>("DELETE", &path, &json!(null))
            .await?;
        self.done(Effect::Drop, Claim::default());
        self.send::<AudienceJson>("POST", &format!("{path}/restore"), &json!({}))
            .await?;
        self.done(Effect::Restore, Claim::default());
        Ok(())
    }

    /// Waits for the success of an accepted operation.
    pub(super) async fn ended(&self, id: &str) -> anyhow::Result<OperationJson> {
        self.history.operation(id);
        let ended = self.end_of(id).await?;
        let is_well = ended.state == "succeeded";
        ensure!(is_well, "{id} ended otherwise: {ended:?}");
        Ok(ended)
    }

    /// Waits for the end of an operation, whatever it is.
    pub(super) async fn end_of(&self, id: &str) -> anyhow::Result<OperationJson> {
        let begun = Instant::now();
        let path = format!("/api/v1/operations/{id}");
        while begun.elapsed() < PATIENCE {
            let seen: Option<OperationJson> = self.caller.get(&path, &self.history).await;
            if let Some(ended) = seen.filter(OperationJson::has_ended) {
                return Ok(ended);
            }
            sleep(Duration::from_millis(60)).await;
        }
        bail!("{id} did not end")
    }
}
