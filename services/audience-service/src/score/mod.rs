//! Scores of buyers: recency, frequency and monetary, 1 to 5 each.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{
    customer::EventName,
    operation::{OperationKind, OperationResult, RefreshReport, Report},
    shared::OperationId,
};
use operations::{Ending, Job, Run};
use ports::{
    Clock, StoreError,
    store::{AudienceQueries, AudienceStore, CutOff, Durability, ScoreSettings, ScoredCell},
};

use crate::{
    Actor, AppError, AppResult, RequestId,
    operation::{AcceptOperation, EndOperation},
};

/// The event that is a purchase where nothing else is said, and the days that are looked at.
const EVENT: &str = "order.paid";
const DAYS: u32 = 365;

/// Scores as they are now.
#[derive(Debug)]
pub struct Grid {
    /// What they are made of, and when.
    pub settings: ScoreSettings,
    /// Scores and who has them.
    pub cells: Vec<ScoredCell>,
    /// Where they begin.
    pub cut_offs: Vec<CutOff>,
}

/// What is done with scores.
#[derive(Clone)]
pub struct Scores {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) accept: AcceptOperation,
}

impl Scores {
    /// What scores are made of.
    ///
    /// # Errors
    /// Store errors.
    pub async fn settings(&self, actor: &Actor) -> AppResult<ScoreSettings> {
        let mut uow = self.store.begin(Durability::Derived).await?;
        let said = uow.scores().settings(&actor.workspace).await?;
        match said {
            Some(settings) => Ok(settings),
            None => default_settings(),
        }
    }

    /// Says what scores are made of, from the next time on that they are made.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "scores.set", skip_all)]
    pub async fn set(
        &self,
        actor: &Actor,
        event: EventName,
        window_days: u32,
    ) -> AppResult<ScoreSettings> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let said = uow.scores().settings(&actor.workspace).await?;
        let settings = ScoreSettings {
            event,
            window_days,
            scored_at: said.and_then(|settings| settings.scored_at),
        };
        uow.scores().set(&actor.workspace, &settings).await?;
        uow.commit().await?;
        Ok(settings)
    }

    /// Starts to score all buyers anew.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "scores.refresh", skip_all)]
    pub async fn refresh(&self, actor: &Actor, request_id: RequestId) -> AppResult<OperationId> {
        let (kind, now) = (OperationKind::Score, self.clock.now());
        let operation = self
            .accept
            .new_operation(actor, request_id, kind, None, now);
        self.accept.accept_alone(request_id, operation).await
    }

    /// Scores as they are now.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "scores.grid", skip_all)]
    pub async fn grid(&self, actor: &Actor) -> AppResult<Grid> {
        let workspace = &actor.workspace;
        Ok(Grid {
            settings: self.settings(actor).await?,
            cells: self.queries.scored_cells(workspace).await?,
            cut_offs: self.queries.cut_offs(workspace).await?,
        })
    }
}

fn default_settings() -> AppResult<ScoreSettings> {
    let event = EventName::parse(EVENT);
    let event = event.ok_or_else(|| AppError::from(StoreError::Corrupt("the default event")))?;
    Ok(ScoreSettings {
        event,
        window_days: DAYS,
        scored_at: None,
    })
}

/// Scores buyers.
pub(crate) struct RunScore {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ends: EndOperation,
}

#[async_trait]
impl Job for RunScore {
    type Params = Option<()>;
    type Checkpoint = ();
    const KINDS: &'static [OperationKind] = &[OperationKind::Score];

    /// One transaction: readers see the scores before, or those after.
    async fn run(&self, run: &mut Run, _: Option<()>) -> AppResult<()> {
        let workspace = run.operation.workspace.clone();
        let now = self.clock.now();
        let mut uow = self.store.begin(Durability::Full).await?;
        let said = uow.scores().settings(&workspace).await?;
        let settings = match said {
            Some(settings) => settings,
            None => default_settings()?,
        };
        let first = now - TimeDelta::days(i64::from(settings.window_days));
        let scored = uow
            .scores()
            .score(&workspace, &settings.event, (first, now))
            .await?;
        let settings = ScoreSettings {
            scored_at: Some(now),
            ..settings
        };
        uow.scores().set(&workspace, &settings).await?;
        let report = RefreshReport {
            size: i64::try_from(scored).unwrap_or(i64::MAX),
            ..RefreshReport::default()
        };
        let ending = Ending::succeeded(Report::Refresh(report), OperationResult::Complete);
        self.ends.with(uow, run, &ending).await
    }
}
