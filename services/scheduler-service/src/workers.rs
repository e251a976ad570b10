//! Loops that run for the life of the process.

use std::{sync::Arc, time::Duration};

use runtime::Lifecycle;

use crate::use_cases::UseCases;

/// Longest pause between two looks: what another process planned is seen no later.
const POLL: Duration = Duration::from_millis(500);

/// Starts to take what is due, once something may be sent.
pub fn start(
    cases: &Arc<UseCases>,
    may_send: impl Future<Output = bool> + Send + 'static,
    life: &Lifecycle,
) {
    let (cases, soft) = (Arc::clone(cases), life.soft());
    life.spawn_named("due", async move {
        let may_send = tokio::select! {
            () = soft.cancelled() => false,
            may_send = may_send => may_send,
        };
        if !may_send {
            return;
        }
        loop {
            let wait = match cases.engine.round().await {
                Ok(next) => next
                    .and_then(|next| (next - cases.engine.clock.now()).to_std().ok())
                    .map_or(POLL, |wait| wait.min(POLL)),
                Err(error) => {
                    tracing::warn!(%error, "what is due could not be taken");
                    POLL
                }
            };
            tokio::select! {
                () = soft.cancelled() => return,
                () = cases.signals.on_planned() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    });
}
