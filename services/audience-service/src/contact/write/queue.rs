//! Requests to one content queue up, and whoever has the turn serves all of them.

use std::{panic::resume_unwind, sync::Arc};

use domain::contact::Document;
use ports::{
    StoreError,
    contacts::{ContentKey, Priority},
};
use tokio::{
    sync::{
        OwnedMutexGuard,
        oneshot::{self, Sender, error::TryRecvError},
    },
    time::timeout,
};
use tracing::Instrument;

use super::{
    answers::{answers_of, same_for_all},
    lane::Lane,
    pending::{Answer, MAX_ROWS, PATIENCE, Pending, Removed, WriteError, WriteRequest},
    writer::Writer,
};

impl Writer {
    /// Writes rows, together with what other requests to the same content have queued.
    ///
    /// # Errors
    /// See [`WriteError`]. Whoever waits for an answer is told in bounded time that the store is not
    /// available; a write that has begun goes on.
    pub async fn write(self: &Arc<Self>, key: ContentKey, request: WriteRequest) -> Answer {
        let waits = request.priority == Priority::Interactive;
        self.enlist(key, waits, |answer| Pending::Write(request, answer))
            .await
    }

    /// Removes one contact for good, together with those that other requests remove; `false` where
    /// readers see none.
    ///
    /// # Errors
    /// Store errors, in bounded time; a conflict where the content is no longer the current one.
    pub(super) async fn remove(self: &Arc<Self>, key: ContentKey, document: Document) -> Removed {
        self.enlist(key, true, |answer| Pending::Remove(document, answer))
            .await
    }

    async fn enlist<T, E: From<StoreError>>(
        self: &Arc<Self>,
        key: ContentKey,
        waits: bool,
        pending: impl FnOnce(Sender<Result<T, E>>) -> Pending,
    ) -> Result<T, E> {
        let lane = self.lanes.of(key);
        let (answer, answered) = oneshot::channel();
        lane.push(pending(answer));
        let served = self.take_part(key, &lane, answered);
        if !waits {
            return served.await;
        }
        timeout(PATIENCE, served).await.unwrap_or_else(|elapsed| {
            lane.leave(Pending::is_abandoned);
            Err(StoreError::Unavailable(elapsed.into()).into())
        })
    }

    /// Waits for the answer, and serves the others while it has the turn.
    async fn take_part<T, E: From<StoreError>>(
        self: &Arc<Self>,
        key: ContentKey,
        lane: &Arc<Lane<Pending>>,
        mut answered: oneshot::Receiver<Result<T, E>>,
    ) -> Result<T, E> {
        loop {
            let turn = lane.turn().await;
            match answered.try_recv() {
                Ok(answer) => return answer,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => {
                    return Err(
                        StoreError::Internal("a write ended without a result".into()).into(),
                    );
                }
            }
            lane.gather().await;
            let batch = lane.drain(MAX_ROWS, Pending::rows, Pending::kind);
            let serving = Arc::clone(self).serve(key, batch, turn);
            // A task of its own: it goes on when whoever waits for it gives up.
            if let Err(ended) = tokio::spawn(serving.in_current_span()).await
                && let Ok(panic) = ended.try_into_panic()
            {
                resume_unwind(panic);
            }
        }
    }

    /// Serves requests of one kind.
    async fn serve(
        self: Arc<Self>,
        key: ContentKey,
        batch: Vec<Pending>,
        turn: OwnedMutexGuard<()>,
    ) {
        let (mut requests, mut writers) = (Vec::new(), Vec::new());
        let (mut documents, mut removers) = (Vec::new(), Vec::new());
        for pending in batch {
            match pending {
                Pending::Write(request, answer) => {
                    requests.push(request);
                    writers.push(answer);
                }
                Pending::Remove(document, answer) => {
                    documents.push(document);
                    removers.push(answer);
                }
            }
        }
        if documents.is_empty() {
            let outcome = self.write_batch(key, &mut requests, turn).await;
            tell(writers, answers_of(outcome, requests));
        } else {
            let outcome = self.remove_batch(key, &documents, turn).await;
            tell(removers, same_for_all(outcome, documents.len()));
        }
    }
}

/// A request whose caller is gone was served all the same.
fn tell<A>(callers: Vec<Sender<A>>, answers: Vec<A>) {
    for (to, answer) in callers.into_iter().zip(answers) {
        let _ = to.send(answer);
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
