//! Asking for a recycling, or for what it would do.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    contact::Document,
    operation::{FileWarnings, OperationKind, ReasonCounts},
    recycle::{Keep, Reasons, Rules, Target},
    shared::{AudienceId, AudienceName, Instant, OperationId, UploadId},
};
use kernel::payload;
use ports::{Clock, IdGenerator, contacts::ContentKey, store::AudienceQueries};
use recycling::Recycling;
use serde::{Deserialize, Serialize};

use super::{
    RecycleParams,
    fingerprint::fingerprint,
    run::RunRecycle,
    sets::{DocumentSets, SetSource},
    survey::{Survey, Surveyor},
    walk::Source,
};
use crate::{
    Actor, AppError, AppResult, RequestId,
    audience::{FindAudience, NewAudiences},
    contact::view_of,
    operation::{AcceptOperation, Accepted},
};

/// How long a plan may be carried.
const PLAN_LIFE: TimeDelta = TimeDelta::hours(1);

/// A recycling as it was asked for.
#[derive(Debug)]
pub struct RecycleRequest {
    /// Rules, without the sets of documents.
    pub rules: Rules,
    /// Documents to remove.
    pub documents: SetSource,
    /// Audiences whose members are protected.
    pub keep_audiences: Vec<AudienceId>,
    /// Documents to protect.
    pub keep_documents: Vec<Document>,
    /// `None`: in place. Else the name of the new audience, or none for the proposed one.
    pub new_audience: Option<Option<AudienceName>>,
    /// Only say what would be removed.
    pub dry_run: bool,
    /// The plan of an earlier dry run.
    pub plan: Option<Plan>,
    /// By how many removed contacts the outcome may differ from the plan.
    pub plan_tolerance: i64,
}

impl From<Recycling> for RecycleRequest {
    fn from(asked: Recycling) -> Self {
        Self {
            rules: asked.rules,
            documents: SetSource {
                documents: asked.documents,
                upload: asked.upload,
            },
            keep_audiences: asked.keep_audiences,
            keep_documents: asked.keep_documents,
            new_audience: asked.new_audience,
            dry_run: false,
            plan: None,
            plan_tolerance: 0,
        }
    }
}

/// What a dry run found, to be carried by the real call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The audience.
    pub audience: i64,
    /// Fingerprint of what was asked for.
    pub asked: u64,
    /// Contacts that would be removed.
    pub removed: i64,
    /// State of the contacts.
    pub epoch: i64,
    /// State of the contacts.
    pub revision: i64,
    /// State of the reported outcomes.
    pub outcomes: i64,
    /// When it was made.
    pub at: Instant,
}

/// What a recycling would do.
#[derive(Debug)]
pub struct DryRun {
    /// To be carried by the real call.
    pub plan: Plan,
    /// Contacts looked at.
    pub total: i64,
    /// Contacts that would go.
    pub removed: i64,
    /// By the reason that counts.
    pub by_reason: ReasonCounts,
    /// By all reasons, where a contact has more than one.
    pub overlap: Vec<(Reasons, i64)>,
    /// Some of those that would go.
    pub sample: Vec<(Document, Reasons)>,
    /// Values that conditions could not read, and so matched nothing.
    pub unreadable_values: i64,
    /// The uploaded file of documents: its rows without a readable one, and what looks wrong in it.
    pub file: Option<(UploadId, i64, FileWarnings)>,
}

/// Answer to a request.
#[derive(Debug)]
pub enum RecycleAnswer {
    /// What it would do.
    DryRun(Box<DryRun>),
    /// It is accepted.
    Accepted(Accepted),
}

/// Starts recyclings, or says what they would do.
#[derive(Clone)]
pub struct RecycleAudience {
    pub(crate) find: FindAudience,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) accept: AcceptOperation,
    pub(crate) new: NewAudiences,
    pub(crate) survey: Surveyor,
    pub(crate) sets: DocumentSets,
}

impl RecycleAudience {
    /// Starts a recycling, or says what it would do.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` with `no_rules`, `unknown_audience`, `unknown_upload`; `Conflict` with
    /// `plan_stale` (carries the new counts), `name_taken`, `audience_deleted`.
    #[tracing::instrument(name = "audience.recycle", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        request: RecycleRequest,
    ) -> AppResult<RecycleAnswer> {
        if let Some(earlier) = self.accept.earlier(request_id).await? {
            return Ok(RecycleAnswer::Accepted(earlier));
        }
        let audience = self.find.visible(actor, id).await?;
        audience.ensure_live()?;
        if request.new_audience.is_none() && !request.dry_run {
            audience.ensure_list()?;
        }
        let sets = OperationId::from_raw(self.ids.next());
        let asked = fingerprint(&request)?;
        let mut params = self.params(actor, &audience, &request).await?;
        params.file = self
            .sets
            .write(actor, sets, &request.documents, &request.keep_documents)
            .await?;
        let planned = match (&request.plan, request.dry_run) {
            (_, true) => {
                let dry = self.dry_run(&audience, &params, sets, asked).await;
                self.sets.remove(sets).await?;
                return Ok(RecycleAnswer::DryRun(Box::new(dry?)));
            }
            (Some(plan), false) => {
                let tolerance = request.plan_tolerance;
                self.check_plan(&audience, &params, sets, asked, plan, tolerance)
                    .await
            }
            (None, false) => Ok(()),
        };
        if let Err(error) = planned {
            self.sets.remove(sets).await?;
            return Err(error);
        }
        let target = request.new_audience.map(|name| {
            let name = name.unwrap_or_else(|| audience.name.next_round());
            self.new
                .hidden(actor, &audience, name, domain::audience::Source::Recycle)
        });
        if let Some(target) = &target {
            params.target = Target::New {
                audience: target.id.raw(),
            };
        }
        let now = self.clock.now();
        let mut operation =
            self.accept
                .new_operation(actor, request_id, OperationKind::Recycle, id, now);
        operation.id = sets;
        operation.total = Some(audience.contacts);
        operation.after_uploads_of = Some(id);
        operation.params = operations::params::<RunRecycle>(&params)?;
        self.sets
            .keep(sets, &request.documents, &request.keep_documents)
            .await?;
        let accepted = self.accept.accept(request_id, operation, target).await;
        let unneeded = match &accepted {
            Ok(accepted) => accepted.operation != sets,
            // The commit may be done although its reply was lost, and then the operation reads its
            // sets. Else the sweep of scratch files finds them without one.
            Err(AppError::Store(_)) => false,
            Err(_) => true,
        };
        if unneeded {
            self.sets.remove(sets).await?;
        }
        Ok(RecycleAnswer::Accepted(accepted?))
    }

    async fn params(
        &self,
        actor: &Actor,
        audience: &domain::audience::Audience,
        request: &RecycleRequest,
    ) -> AppResult<RecycleParams> {
        let mut rules = request.rules.clone();
        rules.documents = !request.documents.is_empty();
        if rules.is_empty() {
            return Err(AppError::invalid(
                "/rules",
                "no_rules",
                "there is no rule to remove by",
            ));
        }
        let keep_audiences: Vec<i64> = request.keep_audiences.iter().map(|a| a.raw()).collect();
        let named = [
            ("/rules/audience_ids", &rules.audiences),
            ("/keep/audience_ids", &keep_audiences),
        ];
        for (pointer, ids) in named {
            for (index, other) in ids.iter().enumerate() {
                let other = AudienceId::from_raw(*other);
                let known = other != audience.id && self.find.visible(actor, other).await.is_ok();
                if !known {
                    let detail = "there is no such other audience";
                    let pointer = format!("{pointer}/{index}");
                    return Err(AppError::invalid(pointer, "unknown_audience", detail));
                }
            }
        }
        Ok(RecycleParams {
            rules,
            keep: Keep {
                documents: !request.keep_documents.is_empty(),
                audiences: keep_audiences,
            },
            target: Target::InPlace,
            at: self.clock.now(),
            accepted_before: self.find.content_of(audience).await?.next_request,
            file: None,
        })
    }

    async fn source_of(&self, audience: &domain::audience::Audience) -> AppResult<(Source, i64)> {
        let content = self.find.content_of(audience).await?;
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        let workspace = audience.workspace.clone();
        Ok((
            Source {
                workspace,
                key,
                view: view_of(&content),
            },
            content.revision,
        ))
    }

    async fn dry_run(
        &self,
        audience: &domain::audience::Audience,
        params: &RecycleParams,
        sets: OperationId,
        asked: u64,
    ) -> AppResult<DryRun> {
        let outcomes = self.queries.version(&audience.workspace).await?;
        let (source, revision) = self.source_of(audience).await?;
        let Survey {
            tally,
            sample,
            unreadable,
        } = self.survey.survey(&source, params, sets).await?;
        let overlap = |(bits, count): (&i64, &i64)| {
            let reasons = Reasons::from_bits(*bits);
            (reasons.iter().count() > 1).then_some((reasons, *count))
        };
        Ok(DryRun {
            plan: Plan {
                audience: audience.id.raw(),
                asked,
                removed: tally.removed(),
                epoch: source.key.epoch.0,
                revision,
                outcomes,
                at: params.at,
            },
            total: tally.total,
            removed: tally.removed(),
            by_reason: tally.by_first(),
            overlap: tally.by_reasons.iter().filter_map(overlap).collect(),
            sample,
            unreadable_values: unreadable,
            file: params.file.clone().map(|(upload, found)| {
                (UploadId::from_raw(upload), found.unreadable, found.warnings)
            }),
        })
    }

    /// Holds the request to its plan: what was asked for is the same, and so is the outcome.
    async fn check_plan(
        &self,
        audience: &domain::audience::Audience,
        params: &RecycleParams,
        sets: OperationId,
        asked: u64,
        plan: &Plan,
        tolerance: i64,
    ) -> AppResult<()> {
        if plan.audience != audience.id.raw() || plan.asked != asked {
            let detail = "the plan was made for another audience or other rules";
            return Err(AppError::invalid("/plan", "plan_mismatch", detail));
        }
        let (source, revision) = self.source_of(audience).await?;
        let outcomes = self.queries.version(&audience.workspace).await?;
        let state = (source.key.epoch.0, revision, outcomes);
        let expired = params.at - plan.at > PLAN_LIFE;
        let same = state == (plan.epoch, plan.revision, plan.outcomes);
        if same && params.rules.are_timeless() && params.keep.audiences.is_empty() && !expired {
            return Ok(());
        }
        let Survey { tally, .. } = self.survey.survey(&source, params, sets).await?;
        if !expired && (tally.removed() - plan.removed).abs() <= tolerance {
            return Ok(());
        }
        let mut extra = serde_json::Map::new();
        let report = tally.report();
        extra.insert("total".into(), report.total.into());
        extra.insert("removed".into(), report.removed.into());
        extra.insert("kept".into(), report.kept.into());
        let by_reason = payload::encode(&report.by_reason)?;
        extra.insert("by_reason".into(), by_reason);
        let detail = if expired {
            "the plan is older than one hour; make a new dry run"
        } else {
            "the audience has changed since the dry run; make a new one"
        };
        Err(AppError::Conflict {
            code: "plan_stale",
            detail: detail.into(),
            extra,
        })
    }
}
