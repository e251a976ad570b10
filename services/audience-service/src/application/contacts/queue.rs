//! Requests to one content queue up, and whoever has the turn writes for all of them.

use std::{panic::resume_unwind, sync::Arc};

use ports::{
    StoreError,
    contacts::{ContentKey, Priority},
};
use tokio::{
    sync::{
        OwnedMutexGuard,
        oneshot::{self, error::TryRecvError},
    },
    time::timeout,
};
use tracing::Instrument;

use super::{
    answers::answers_of,
    lane::Lane,
    writer::{Answer, MAX_ROWS, PATIENCE, WriteError, WriteRequest, Writer},
};

/// A request that waits for its turn.
pub(super) struct Pending {
    request: WriteRequest,
    answer: oneshot::Sender<Answer>,
}

impl Writer {
    /// Writes rows, together with what other requests to the same content have queued.
    ///
    /// # Errors
    /// See [`WriteError`]. Whoever waits for an answer is told in bounded time that the store is not
    /// available; a write that has begun goes on.
    pub async fn write(self: &Arc<Self>, key: ContentKey, request: WriteRequest) -> Answer {
        let lane = self.lanes.of(key);
        let waits = request.priority == Priority::Interactive;
        let (answer, answered) = oneshot::channel();
        lane.push(Pending { request, answer });
        let written = self.take_part(key, &lane, answered);
        if !waits {
            return written.await;
        }
        timeout(PATIENCE, written).await.unwrap_or_else(|elapsed| {
            lane.leave(|pending| pending.answer.is_closed());
            Err(WriteError::Store(StoreError::Unavailable(elapsed.into())))
        })
    }

    /// Waits for the answer, and writes for the others while it has the turn.
    async fn take_part(
        self: &Arc<Self>,
        key: ContentKey,
        lane: &Arc<Lane<Pending>>,
        mut answered: oneshot::Receiver<Answer>,
    ) -> Answer {
        loop {
            let turn = lane.turn().await;
            match answered.try_recv() {
                Ok(answer) => return answer,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => {
                    let panicked = StoreError::Internal("a write ended without a result".into());
                    return Err(WriteError::Store(panicked));
                }
            }
            lane.gather().await;
            let batch = lane.drain(MAX_ROWS, |p| p.request.rows.len());
            let writing = Arc::clone(self).write_together(key, batch, turn);
            // A task of its own: it goes on when whoever waits for it gives up.
            if let Err(ended) = tokio::spawn(writing.in_current_span()).await
                && let Ok(panic) = ended.try_into_panic()
            {
                resume_unwind(panic);
            }
        }
    }

    async fn write_together(
        self: Arc<Self>,
        key: ContentKey,
        batch: Vec<Pending>,
        turn: OwnedMutexGuard<()>,
    ) {
        let (mut requests, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|p| (p.request, p.answer)).unzip();
        let outcome = self.write_batch(key, &mut requests, turn).await;
        for (to, answer) in answers.into_iter().zip(answers_of(outcome, requests)) {
            // A request whose caller is gone was written all the same.
            let _ = to.send(answer);
        }
    }
}
