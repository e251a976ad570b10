//! How long calls wait for a server, and writes for certainty.

use std::time::Duration;

use ports::StoreError;
use tokio::time::{Instant, sleep, timeout};

use crate::error;

/// Longest wait for any call: the driver itself waits for a server that stalls as long as the connection
/// lives.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a write is tried whose outcome is not known, and the pause before it is tried again.
const DOUBT: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_millis(500);

/// Runs a call in bounded time.
pub(crate) async fn within<T>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match timeout(PATIENCE, call).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(StoreError::Unavailable(Box::new(elapsed))),
    }
}

/// Runs a write until its outcome is known. What was sent and never answered may be stored at any later
/// time, after somebody has counted without it. Run once more, it is there for certain, and what comes
/// late changes nothing.
pub(crate) async fn settled<T, F>(write: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let begun = Instant::now();
    let mut in_doubt = false;
    loop {
        let answer = within(write()).await;
        let Err(StoreError::Unavailable(cause)) = answer else {
            return answer;
        };
        in_doubt |= error::may_have_been_sent(&cause);
        if !in_doubt || begun.elapsed() > DOUBT {
            return Err(StoreError::Unavailable(cause));
        }
        sleep(PAUSE).await;
    }
}

/// Waits until what others have sent is stored, for the sake of those that are gone: a server that stood
/// still carries it out when it goes on. `barrier` is a write: it is acknowledged when the server goes
/// on, and most members have what it had before. What came at the same time may take it `backlog`.
pub(crate) async fn caught_up(
    barrier: impl Future<Output = Result<i64, StoreError>>,
    backlog: Duration,
) -> Result<(), StoreError> {
    within(barrier).await?;
    sleep(backlog).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending};

    use super::*;

    type Answer = Result<u8, StoreError>;

    /// Runs a write whose attempts end like this; answers how often it was tried as well.
    async fn run(attempt: impl AsyncFn(u32) -> Answer) -> (Answer, u32) {
        let tries = Cell::new(0);
        let (attempt, tries) = (&attempt, &tries);
        let answer = settled(|| async move {
            tries.set(tries.get() + 1);
            attempt(tries.get()).await
        });
        (answer.await, tries.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_never_sent_is_given_up_at_once() {
        let (answer, tries) = run(async |_| Err(error::unsent())).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
        assert_eq!(tries, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_answered_is_tried_until_it_is() {
        let (answer, tries) = run(async |tries| match tries {
            1 => pending().await,
            2 => Err(error::unsent()),
            _ => Ok(7),
        })
        .await;
        assert_eq!((answer.unwrap(), tries), (7, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn doubt_ends_in_bounded_time() {
        let begun = Instant::now();
        let (answer, _) = run(async |_| pending().await).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
        assert!((DOUBT..DOUBT + 2 * PATIENCE).contains(&begun.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_answers() {
        let (answer, tries) = run(async |_| Err(StoreError::DiskFull)).await;
        assert!(matches!(answer, Err(StoreError::DiskFull)));
        assert_eq!(tries, 1);
    }
}
