//! Finding stored files.

use std::sync::Arc;

use domain::{contact::ColumnMapping, shared::UploadId};
use kernel::payload;
use ports::{
    files::DetectedFormat,
    store::{AudienceQueries, Upload},
};
use serde::{Deserialize, Serialize};

use crate::{Actor, AppError, AppResult};

/// What was found in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredDetection {
    /// How to read it.
    pub format: DetectedFormat,
    /// What its columns seem to mean.
    pub mapping: ColumnMapping,
}

/// A received file.
#[derive(Debug, Clone)]
pub struct StoredUpload {
    /// Its row.
    pub upload: Upload,
    /// What was found in it.
    pub detected: StoredDetection,
}

/// Finds stored files.
#[derive(Clone)]
pub struct FindUpload {
    pub(crate) queries: Arc<dyn AudienceQueries>,
}

impl FindUpload {
    /// A stored file.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn get(&self, actor: &Actor, id: UploadId) -> AppResult<StoredUpload> {
        let stored = self.find(actor, id).await?;
        stored.ok_or(AppError::NotFound)
    }

    /// A stored file of the workspace.
    pub(crate) async fn find(
        &self,
        actor: &Actor,
        id: UploadId,
    ) -> AppResult<Option<StoredUpload>> {
        let Some(upload) = self.queries.upload(&actor.workspace, id).await? else {
            return Ok(None);
        };
        let detected = payload::decode(&upload.detected, "what was found in an upload")?;
        Ok(Some(StoredUpload { upload, detected }))
    }
}
