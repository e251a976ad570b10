//! What a user takes out of an audience, in every way there is.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use api_types::{
    audiences::ClearedJson,
    contacts::ContactsJson,
    operations::{OperationJson, RemovalReportJson},
    recycle::{RecycleBody, RulesBody, TargetBody},
};
use rand::{Rng, seq::IteratorRandom};
use serde_json::json;
use tokio::time::sleep;

use super::lane::Lane;
use crate::history::{Claim, Effect};

/// Single removals at a time.
const AT_ONCE: usize = 8;

impl Lane {
    fn leaving(&mut self) -> Vec<String> {
        let count = self.there.len() / 3 + 1;
        self.there
            .iter()
            .cloned()
            .choose_multiple(&mut self.random, count)
    }

    pub(super) async fn recycle(&mut self) -> anyhow::Result<()> {
        if self.there.is_empty() {
            return self.insert().await;
        }
        let documents = self.leaving();
        let before = self.there.len();
        self.allow(Some([before, before - documents.len()]));
        let id = self.ask_to_remove(&documents, None).await?;
        let ended = self.ended(&id).await?;
        self.is_gone(documents, &ended).await
    }

    /// Starts a recycling; answers its id.
    async fn ask_to_remove(
        &mut self,
        documents: &[String],
        target: Option<TargetBody>,
    ) -> anyhow::Result<String> {
        let rules = RulesBody {
            documents: documents.to_vec(),
            opted_out: Some(false),
            ..RulesBody::default()
        };
        let body = RecycleBody {
            rules,
            target,
            ..RecycleBody::default()
        };
        let path = format!("{}/recycle", self.path());
        let accepted: OperationJson = self.send("POST", &path, &body).await?;
        Ok(accepted.id)
    }

    /// A recycling has succeeded; now and then it is taken back.
    async fn is_gone(
        &mut self,
        documents: Vec<String>,
        ended: &OperationJson,
    ) -> anyhow::Result<()> {
        let claim = removed(ended, self.there.len())?;
        let all = self.there.clone();
        self.there.retain(|document| !documents.contains(document));
        self.done(Effect::Remove { documents }, claim);
        self.settle();
        if !self.shape.no_undo && self.random.random_range(0..3) == 0 {
            self.undo(&ended.id, all).await?;
        }
        Ok(())
    }

    /// A recycling that is cancelled on its way, and tried again.
    pub(super) async fn recycle_in_two(&mut self) -> anyhow::Result<()> {
        if self.there.is_empty() {
            return self.insert().await;
        }
        let documents = self.leaving();
        let before = self.there.len();
        self.allow(Some([before, before - documents.len()]));
        let id = self.ask_to_remove(&documents, None).await?;
        self.history.operation(&id);
        sleep(Duration::from_millis(self.random.random_range(0..400))).await;
        let path = format!("/api/v1/operations/{id}");
        // It may have ended before.
        self.ask("POST", &format!("{path}/cancel"), &["operation_ended"])
            .await?;
        let ended = self.end_of(&id).await?;
        if ended.state == "succeeded" {
            return self.is_gone(documents, &ended).await;
        }
        let report: Option<RemovalReportJson> = ended.report_as();
        let gone = report.map_or(0, |report| report.removed);
        ensure!(gone == 0, "{id} was cancelled: {ended:?}");
        self.settle();
        self.allow(Some([before, before - documents.len()]));
        self.ask("POST", &format!("{path}/retry"), &[]).await?;
        self.history.again(&id);
        let ended = self.end_of(&id).await?;
        let is_well = ended.state == "succeeded";
        ensure!(is_well, "{id} ended otherwise: {ended:?}");
        self.is_gone(documents, &ended).await
    }

    /// Several single removals at once.
    pub(super) async fn remove_one_by_one(&mut self) -> anyhow::Result<()> {
        self.allow(None);
        let path = format!("{}/contacts?limit={AT_ONCE}", self.path());
        let page: ContactsJson = self.caller.must_get(&path).await?;
        let contacts = page.data.into_iter();
        let leaving: Vec<_> = contacts.map(|c| (c.contact_id, c.document)).collect();
        let path = self.path();
        let removals = leaving.iter().map(async |(id, _)| {
            let request = self.caller.delete(&format!("{path}/contacts/{id}"));
            // Asked again, it may be gone already.
            let answer = self
                .caller
                .answer(&request, &self.history, self.shape.abandon);
            let answer = answer.await?;
            let gone = answer.is_success() || answer.repeated && answer.status == 404;
            ensure!(gone, "removal of {id}: {}", answer.told());
            Ok(())
        });
        futures::future::try_join_all(removals).await?;
        let documents: Vec<String> = leaving.into_iter().map(|(_, document)| document).collect();
        self.there.retain(|document| !documents.contains(document));
        self.done(Effect::Remove { documents }, Claim::default());
        self.settle();
        Ok(())
    }

    async fn undo(&mut self, operation: &str, all: BTreeSet<String>) -> anyhow::Result<()> {
        self.allow(Some([self.there.len(), all.len()]));
        let path = format!("/api/v1/operations/{operation}/undo");
        self.send::<OperationJson>("POST", &path, &json!({}))
            .await?;
        self.there = all;
        self.done(Effect::Undo, Claim::default());
        self.settle();
        Ok(())
    }

    pub(super) async fn clear(&mut self) -> anyhow::Result<()> {
        if self.there.is_empty() {
            return self.insert().await;
        }
        self.allow(Some([self.there.len(), 0]));
        let path = format!("{}/clear", self.path());
        let cleared: ClearedJson = self.send("POST", &path, &json!({})).await?;
        let operation = cleared.operation_id;
        self.history.operation(&operation);
        let all = std::mem::take(&mut self.there);
        self.done(Effect::Clear, Claim::default());
        self.settle();
        if !self.shape.no_undo && self.random.random_bool(0.5) {
            self.undo(&operation, all).await?;
        }
        Ok(())
    }

    pub(super) async fn recycle_to_new(&mut self) -> anyhow::Result<()> {
        if self.made >= self.shape.audiences || self.there.is_empty() {
            return self.recycle().await;
        }
        let documents = self.leaving();
        let target = TargetBody {
            kind: "new".to_owned(),
            name: Some(format!("{} {}", self.user, self.made)),
        };
        let id = self.ask_to_remove(&documents, Some(target)).await?;
        let ended = self.ended(&id).await?;
        self.made += 1;
        let claim = removed(&ended, self.there.len())?;
        let to = ended.target_audience_id.context("no new audience")?;
        self.done(Effect::CopyWithout { to, documents }, claim);
        Ok(())
    }
}

/// What a recycling's report claims; its total is that which was there.
fn removed(ended: &OperationJson, there: usize) -> anyhow::Result<Claim> {
    let report: RemovalReportJson = ended.report_as().context("no report")?;
    let is_whole = usize::try_from(report.total) == Ok(there);
    ensure!(is_whole, "{report:?} of {there}");
    Ok(Claim {
        changed: u64::try_from(report.removed).ok(),
        ..Claim::default()
    })
}
