//! What the bus gave up: the list of it, and sending it again.

use std::sync::Arc;

use domain::shared::{Instant, WorkspaceId};
use kernel::receipt;
use messaging::DeadLetterQueue;
use ports::{
    bus::{DeadLetter, DeadLetterCursor, Redrive, Subscription},
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};

use super::{Actor, AppError, AppResult, RequestId};

/// Rows read at a time: those of other workspaces are passed over.
const BATCH: usize = 1000;

/// The dead letters of one request: those found when it first came.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Redriving {
    /// How many.
    count: u64,
    /// When the latest of them was given up; later ones are none of them.
    last: Option<Instant>,
}

impl Redriving {
    fn of(letters: &[DeadLetter]) -> Self {
        Self {
            count: u64::try_from(letters.len()).unwrap_or(u64::MAX),
            last: letters.iter().map(|letter| letter.buried_at).max(),
        }
    }

    fn is_about(&self, letter: &DeadLetter) -> bool {
        self.last.is_some_and(|last| letter.buried_at <= last)
    }
}

/// Dead letters of a workspace.
#[derive(Clone)]
pub struct DeadLetters {
    /// Where they are.
    pub queue: DeadLetterQueue,
    /// Remembers which ones a request is about.
    pub store: Arc<dyn AudienceStore>,
}

impl DeadLetters {
    /// Up to `limit` dead letters after `after`, oldest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "dead_letter.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        subscription: Option<&Subscription>,
        after: Option<DeadLetterCursor>,
        limit: usize,
    ) -> AppResult<(Vec<DeadLetter>, bool)> {
        self.page(&actor.workspace, subscription, after, limit)
            .await
    }

    /// Sends dead letters again, with all their attempts before them; answers how many.
    ///
    /// Which ones it is about is kept before the first is sent: places that keep dead letters have no
    /// common transaction, so a repetition after a crash goes on with those that are left.
    ///
    /// # Errors
    /// `NotFound` where a single one is named that there is not; store errors.
    #[tracing::instrument(name = "dead_letter.redrive", skip_all)]
    pub async fn redrive(
        &self,
        actor: &Actor,
        request_id: RequestId,
        which: &Redrive,
    ) -> AppResult<u64> {
        let subscription = match which {
            Redrive::All => None,
            Redrive::Subscription(name) | Redrive::One(name, _) => Some(name),
        };
        let all = self.page(&actor.workspace, subscription, None, usize::MAX);
        let (mut letters, _) = all.await?;
        if let Redrive::One(_, id) = which {
            letters.retain(|letter| letter.event.event_id == *id);
        }
        let redriving = self.keep(request_id, Redriving::of(&letters)).await?;
        if redriving.count == 0 && matches!(which, Redrive::One(..)) {
            return Err(AppError::NotFound);
        }
        for letter in letters.into_iter().filter(|l| redriving.is_about(l)) {
            let one = Redrive::One(letter.subscription, letter.event.event_id);
            self.queue.redrive(&one).await?;
        }
        Ok(redriving.count)
    }

    /// What the request was about when it first came.
    async fn keep(&self, request_id: RequestId, found: Redriving) -> AppResult<Redriving> {
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        receipt::keep(uow.receipts(), request_id, &found).await?;
        uow.commit().await?;
        Ok(found)
    }

    async fn page(
        &self,
        workspace: &WorkspaceId,
        subscription: Option<&Subscription>,
        mut after: Option<DeadLetterCursor>,
        limit: usize,
    ) -> AppResult<(Vec<DeadLetter>, bool)> {
        let mut found = Vec::new();
        loop {
            let batch = self.queue.list(subscription, after.as_ref(), BATCH).await?;
            let is_last = batch.len() < BATCH;
            after = batch.last().map(DeadLetter::cursor);
            let own = |letter: &DeadLetter| letter.event.workspace == *workspace;
            for letter in batch.into_iter().filter(own) {
                if found.len() == limit {
                    return Ok((found, true));
                }
                found.push(letter);
            }
            if is_last {
                return Ok((found, false));
            }
        }
    }
}
