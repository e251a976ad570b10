//! What services ask the one that has the workspaces, at once: within a process or between two.

use async_trait::async_trait;
use domain::{
    shared::{AudienceId, WorkspaceId},
    workspace::TimeZone,
};
use events::v1::{CommunicationDue, RecipientsResolved};
use ports::{StoreError, scheduling::Directory};
use serde::{Deserialize, Serialize};

/// Where the service answers questions.
pub const DIRECTORY_PATH: &str = "/internal/directory";
/// The header that proves that a service of the installation asks.
pub const SERVICE_HEADER: &str = "x-plateia-service";
/// What the token in that header is derived from the installation's secret for.
pub const SERVICE_PURPOSE: &str = "service-token";

/// A question about a workspace.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of this workspace.
    pub workspace: String,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked. Each says what the answer is, in JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Which of these numbers no customer has: an array of them.
    UnknownCustomers(Vec<i64>),
    /// Whether there is such an audience: a boolean.
    HasAudience(i64),
    /// Where its days are: the name of a zone.
    TimeZone,
    /// A part of the recipients of a communication: a [`Part`].
    Recipients(Box<CommunicationDue>),
}

/// A part of the recipients of a communication.
#[derive(Clone, Serialize, Deserialize)]
pub struct Part {
    /// Who they are.
    pub found: RecipientsResolved,
    /// What asks for the part after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CommunicationDue>,
}

/// Finds recipients for somebody who waits for the answer: nothing leaves.
#[async_trait]
pub trait RecipientSource: Send + Sync {
    /// A part of the recipients of a communication.
    ///
    /// # Errors
    /// `Corrupt` where the question cannot be read; store errors.
    async fn part(
        &self,
        workspace: &WorkspaceId,
        ask: CommunicationDue,
    ) -> Result<Part, StoreError>;
}

/// Answers a question.
///
/// # Errors
/// `Corrupt` where it cannot be read; store errors.
pub async fn answer(
    directory: &dyn Directory,
    recipients: &dyn RecipientSource,
    question: Question,
) -> Result<serde_json::Value, StoreError> {
    let workspace = WorkspaceId::parse(&question.workspace)
        .map_err(|_| StoreError::Corrupt("workspace of a question"))?;
    let answer = match question.ask {
        Ask::UnknownCustomers(ids) => {
            serde_json::to_value(directory.unknown_customers(&workspace, &ids).await?)
        }
        Ask::HasAudience(id) => {
            let id = AudienceId::from_raw(id);
            serde_json::to_value(directory.has_audience(&workspace, id).await?)
        }
        Ask::TimeZone => {
            let zone: TimeZone = directory.time_zone(&workspace).await?;
            serde_json::to_value(zone.name())
        }
        Ask::Recipients(ask) => serde_json::to_value(recipients.part(&workspace, *ask).await?),
    };
    answer.map_err(|error| StoreError::Internal(Box::new(error)))
}
