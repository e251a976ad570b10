//! Asking for audiences that are made of others.

use std::sync::Arc;

use domain::{
    audience::{Audience, AudienceStatus, Recipe, Source, Tags},
    operation::OperationKind,
    shared::{AudienceId, AudienceName},
};
use ports::Clock;

use super::{DeriveParams, run::RunDerive};
use crate::{
    Actor, AppError, AppResult, RequestId,
    audience::{FindAudience, NewAudiences},
    operation::{AcceptOperation, Accepted},
};

/// Audiences that are to be made of others.
#[derive(Debug)]
pub struct DeriveRequest {
    /// Who belongs to them.
    pub recipe: Recipe,
    /// The others, in the order in which they count: at least one.
    pub of: Vec<AudienceId>,
    /// A name for each that is made; the proposed one where there is none.
    pub names: Vec<AudienceName>,
    /// Labels of each.
    pub tags: Tags,
    /// Status of each.
    pub status: AudienceStatus,
}

/// Makes audiences of others.
#[derive(Clone)]
pub struct DeriveAudiences {
    pub(crate) find: FindAudience,
    pub(crate) new: NewAudiences,
    pub(crate) accept: AcceptOperation,
    pub(crate) clock: Arc<dyn Clock>,
}

impl DeriveAudiences {
    /// Starts it. Names are reserved at once; what is made shows when all of it is complete.
    ///
    /// # Errors
    /// `NotFound` where one of the others is not there; `Conflict` with `name_taken` or `audience_deleted`.
    #[tracing::instrument(name = "audience.derive", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        request: DeriveRequest,
    ) -> AppResult<Accepted> {
        if let Some(earlier) = self.accept.earlier(request_id).await? {
            return Ok(earlier);
        }
        let mut sources: Vec<Audience> = Vec::with_capacity(request.of.len());
        for id in &request.of {
            let source = self.find.visible(actor, *id).await?;
            source.ensure_live()?;
            sources.push(source);
        }
        let first = sources.first().ok_or(AppError::NotFound)?;
        let names = match request.names.is_empty() {
            true => vec![first.name.sample()],
            false => request.names,
        };
        let make = |name| {
            let (tags, status) = (request.tags.clone(), request.status);
            let made = self.new.ready(actor, name, tags, status, Source::Api);
            made.hidden()
        };
        let targets: Vec<Audience> = names.into_iter().map(make).collect();
        let target = targets.first().ok_or(AppError::NotFound)?.id;
        let total = match &request.recipe {
            Recipe::Union => sources.iter().map(|source| source.contacts).sum(),
            _ => first.contacts,
        };
        let params = DeriveParams {
            recipe: request.recipe,
            sources: request.of.iter().map(|id| id.raw()).collect(),
            targets: targets.iter().map(|target| target.id.raw()).collect(),
        };
        let (kind, now) = (OperationKind::Derive, self.clock.now());
        let mut operation = self
            .accept
            .new_operation(actor, request_id, kind, target, now);
        operation.params = operations::params::<RunDerive>(&params)?;
        operation.total = Some(total);
        operation.after_uploads_of = Some(first.id);
        self.accept.accept(request_id, operation, targets).await
    }
}
