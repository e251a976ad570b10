//! State changes without an idempotency key.

use runtime::Changes;

use crate::{Problem, context::RequestContext};

/// Runs a state change to its end even if the client goes away.
///
/// # Errors
/// 500 when the change panicked.
pub async fn spawned<T, F>(changes: &Changes, change: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    changes
        .run(in_context(change))
        .await
        .map_err(|_| Problem::internal())
}

/// Carries the current request into another task, so that its errors name the same trace.
pub(crate) fn in_context<F>(change: F) -> impl Future<Output = F::Output> + Send + 'static
where
    F: Future + Send + 'static,
{
    let context = RequestContext::current();
    async move {
        match context {
            Some(context) => context.scope(change).await,
            None => change.await,
        }
    }
}
