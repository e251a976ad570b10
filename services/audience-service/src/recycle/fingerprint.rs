//! Whether two requests ask for the same.

use domain::shared::UploadId;
use kernel::{Fnv, payload};
use ports::StoreError;

use super::RecycleRequest;

/// Fingerprint of what was asked for, apart from dry run, plan and target.
///
/// # Errors
/// `Internal` where the rules have no JSON.
pub(super) fn fingerprint(request: &RecycleRequest) -> Result<u64, StoreError> {
    let mut hash = Fnv::default();
    let rules = payload::encode(&request.rules)?.to_string();
    hash.part(rules.as_bytes());
    for document in &request.documents.documents {
        hash.part(document.as_str().as_bytes());
    }
    hash.part(
        &request
            .documents
            .upload
            .map_or(0, UploadId::raw)
            .to_be_bytes(),
    );
    for id in &request.keep_audiences {
        hash.part(&id.raw().to_be_bytes());
    }
    for document in &request.keep_documents {
        hash.part(document.as_str().as_bytes());
    }
    Ok(hash.finish())
}
