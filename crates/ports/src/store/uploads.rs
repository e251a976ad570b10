//! Uploaded files.

use async_trait::async_trait;
use domain::shared::{Instant, UploadId, WorkspaceId};

use crate::StoreError;

/// An uploaded file.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Identifier.
    pub id: UploadId,
    /// Owner.
    pub workspace: WorkspaceId,
    /// Name of the blob that holds it.
    pub blob: String,
    /// Name the client gave, for people.
    pub file_name: Option<String>,
    /// Length in bytes.
    pub bytes: i64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// What was found in it: format, delimiter, encoding, columns, mapping, sample.
    pub detected: serde_json::Value,
    /// When it arrived.
    pub created_at: Instant,
}

/// Uploads of one transaction.
#[async_trait]
pub trait UploadRepository: Send {
    /// Adds an upload.
    async fn add(&mut self, upload: &Upload) -> Result<(), StoreError>;
    /// One upload of a workspace.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: UploadId,
    ) -> Result<Option<Upload>, StoreError>;
    /// Uploads older than `before`, for collection; at most `limit`.
    async fn older_than(&mut self, before: Instant, limit: i64) -> Result<Vec<Upload>, StoreError>;
    /// Forgets an upload.
    async fn forget(&mut self, id: UploadId) -> Result<(), StoreError>;
}
