//! The trace that the running task is part of, as events and operations carry it on.
//!
//! Inbound adapters say it, use cases store it with what they leave to others: an event, an operation.

tokio::task_local! {
    static CURRENT: Option<String>;
}

/// Runs `work` as part of a trace, named by a W3C `traceparent`, or of none.
pub async fn scope<F: Future>(traceparent: Option<String>, work: F) -> F::Output {
    CURRENT.scope(traceparent, work).await
}

/// The `traceparent` of the running task, if it is part of a trace. Tasks that it spawns begin outside.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}
