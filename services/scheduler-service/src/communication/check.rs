//! Whether a plan can be kept.

use std::sync::Arc;

use domain::{
    scheduling::{Plan, Recipients},
    shared::{Instant, Violation},
};
use kernel::{Actor, AppError};
use ports::scheduling::Directory;

/// Unknown customers that a refusal names.
const NAMED: usize = 10;

/// Checks plans.
#[derive(Clone)]
pub struct CheckPlan {
    pub directory: Arc<dyn Directory>,
}

impl CheckPlan {
    /// The first time that a plan waits for.
    ///
    /// # Errors
    /// `Invalid`; store errors of the directory.
    pub async fn due_at(
        &self,
        actor: &Actor,
        plan: &Plan,
        now: Instant,
    ) -> Result<Instant, AppError> {
        let mut broken = plan.violations(now);
        if broken.is_empty() {
            broken.extend(self.unknown(actor, &plan.recipients).await?);
        }
        match plan.timing.next_after(now) {
            Some(due_at) if broken.is_empty() => Ok(due_at),
            _ => Err(AppError::Invalid(broken)),
        }
    }

    /// Who or what is named that there is not.
    async fn unknown(
        &self,
        actor: &Actor,
        recipients: &Recipients,
    ) -> Result<Option<Violation>, AppError> {
        let workspace = &actor.workspace;
        match recipients {
            Recipients::Broadcast => Ok(None),
            Recipients::Audience(id) => {
                let known = self.directory.has_audience(workspace, *id).await?;
                let unknown = || {
                    let detail = "there is no such audience";
                    Violation::new("/recipients/audience_id", "audience_unknown", detail)
                };
                Ok((!known).then(unknown))
            }
            Recipients::Customers(ids) => {
                let unknown = self.directory.unknown_customers(workspace, ids).await?;
                if unknown.is_empty() {
                    return Ok(None);
                }
                let named: Vec<String> = unknown
                    .iter()
                    .take(NAMED)
                    .map(ToString::to_string)
                    .collect();
                let more = match unknown.len().checked_sub(NAMED) {
                    None | Some(0) => String::new(),
                    Some(more) => format!(" and {more} more"),
                };
                let detail = format!("there is no customer {}{more}", named.join(", "));
                let pointer = "/recipients/customer_ids";
                Ok(Some(Violation::new(pointer, "customers_unknown", detail)))
            }
        }
    }
}
