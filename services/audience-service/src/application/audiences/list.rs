//! Listing audiences.

use domain::audience::Audience;
use ports::store::{AudienceFilter, AudiencePage};

use crate::application::{Actor, App, AppResult};

/// Which audiences, in which order, from where.
#[derive(Debug, Default)]
pub struct ListAudiences {
    /// Which.
    pub filter: AudienceFilter,
    /// Order and position. `limit` rows at most.
    pub page: AudiencePage,
}

impl App {
    /// A page of audiences, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    pub async fn list_audiences(
        &self,
        actor: &Actor,
        mut command: ListAudiences,
    ) -> AppResult<(Vec<Audience>, bool)> {
        let limit = usize::try_from(command.page.limit).unwrap_or(0);
        command.page.limit += 1;
        let queries = &self.deps.queries;
        let mut rows = queries
            .audiences(&actor.workspace, &command.filter, &command.page)
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, more))
    }
}
