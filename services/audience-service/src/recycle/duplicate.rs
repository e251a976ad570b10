//! Copying an audience in the background.

use std::sync::Arc;

use domain::{
    audience::Source,
    operation::OperationKind,
    shared::{AudienceId, AudienceName},
};
use ports::Clock;

use super::copy::{DuplicateParams, RunDuplicate};
use crate::{
    Actor, AppResult, RequestId,
    audience::{FindAudience, NewAudiences},
    operation::{AcceptOperation, Accepted},
};

/// Starts copies of audiences.
#[derive(Clone)]
pub struct DuplicateAudience {
    pub(crate) find: FindAudience,
    pub(crate) new: NewAudiences,
    pub(crate) accept: AcceptOperation,
    pub(crate) clock: Arc<dyn Clock>,
}

impl DuplicateAudience {
    /// Starts a copy under a new name, which is reserved at once.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `name_taken` or `audience_deleted`.
    #[tracing::instrument(name = "audience.duplicate", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        name: Option<AudienceName>,
    ) -> AppResult<Accepted> {
        if let Some(earlier) = self.accept.earlier(request_id).await? {
            return Ok(earlier);
        }
        let source = self.find.visible(actor, id).await?;
        source.ensure_live()?;
        let name = name.unwrap_or_else(|| source.name.copy());
        let target = self.new.hidden(actor, &source, name, Source::Api);
        let params = operations::params::<RunDuplicate>(&DuplicateParams { source: id.raw() })?;
        let now = self.clock.now();
        let mut operation =
            self.accept
                .new_operation(actor, request_id, OperationKind::Duplicate, target.id, now);
        operation.params = params;
        operation.total = Some(source.contacts);
        operation.after_uploads_of = Some(id);
        self.accept
            .accept(request_id, operation, Some(target))
            .await
    }
}
