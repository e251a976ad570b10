//! Work that comes again and again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Runs a round, and another one after each pause, until `stop` fires; a round that runs is let end.
pub async fn repeat<F>(every: Duration, stop: CancellationToken, mut round: impl FnMut() -> F)
where
    F: Future<Output = ()>,
{
    loop {
        round().await;
        if tokio::time::timeout(every, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rounds_are_repeated_until_it_is_stopped() {
        let stop = CancellationToken::new();
        let mut rounds = 0;
        repeat(Duration::from_millis(1), stop.clone(), || {
            rounds += 1;
            if rounds == 3 {
                stop.cancel();
            }
            async {}
        })
        .await;
        assert_eq!(rounds, 3);
    }
}
