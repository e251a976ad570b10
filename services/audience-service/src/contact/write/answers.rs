//! One outcome of a batch as the answer of each request in it.

use std::sync::Arc;

use ports::StoreError;

use super::pending::{Answer, CONTENT_GONE, WriteError, WriteRequest, WriteResult};

/// The answer for each request of a batch.
pub(super) fn answers_of(
    outcome: Result<Vec<WriteResult>, StoreError>,
    requests: Vec<WriteRequest>,
) -> Vec<Answer> {
    match outcome {
        Err(error) if error.is_conflict_on(CONTENT_GONE) => requests
            .into_iter()
            .map(|request| Err(WriteError::Gone(request)))
            .collect(),
        outcome => same_for_all(outcome, requests.len())
            .into_iter()
            .map(|answer| answer.map_err(WriteError::Store))
            .collect(),
    }
}

/// Each result, or the error of the batch for every one of its requests.
pub(super) fn same_for_all<T>(
    outcome: Result<Vec<T>, StoreError>,
    requests: usize,
) -> Vec<Result<T, StoreError>> {
    match outcome {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) => {
            let error = Arc::new(error);
            let answer = |_| Err(shared_error(&error));
            (0..requests).map(answer).collect()
        }
    }
}

/// One error for every request of a batch that failed together.
fn shared_error(error: &Arc<StoreError>) -> StoreError {
    match error.as_ref() {
        StoreError::Conflict { constraint } => StoreError::Conflict { constraint },
        StoreError::StaleVersion => StoreError::StaleVersion,
        StoreError::Corrupt(what) => StoreError::Corrupt(what),
        StoreError::DiskFull => StoreError::DiskFull,
        StoreError::Unavailable(_) => StoreError::Unavailable(Box::new(Arc::clone(error))),
        StoreError::Internal(_) => StoreError::Internal(Box::new(Arc::clone(error))),
    }
}
