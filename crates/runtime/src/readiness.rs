//! Named checks that together say whether the process can serve.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt, join_all};

/// A check that takes longer has failed.
const TIME_LIMIT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Registry of readiness checks, shared by its clones.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Arc<RwLock<Vec<(&'static str, Check)>>>,
}

/// How one check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// Name it was registered under.
    pub name: &'static str,
    /// Why the process is not ready, if it is not. For operators: no personal data, no secrets.
    pub problem: Option<String>,
}

/// How all checks went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One result per check, in the order of registration.
    pub checks: Vec<CheckResult>,
}

impl Report {
    /// Whether every check passed.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.problem.is_none())
    }
}

impl Readiness {
    /// Adds a check; it runs at each report, and counts as failed after two seconds.
    pub fn register<C, F>(&self, name: &'static str, check: C)
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || check().boxed());
        self.checks
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push((name, check));
    }

    /// Runs every check, all at once.
    pub async fn report(&self) -> Report {
        let checks = self
            .checks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let results = checks.into_iter().map(async |(name, check)| {
            let outcome = tokio::time::timeout(TIME_LIMIT, check()).await;
            let problem = match outcome {
                Ok(result) => result.err(),
                Err(_) => Some("no answer within two seconds".to_owned()),
            };
            CheckResult { name, problem }
        });
        Report {
            checks: join_all(results).await,
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_list()
            .entries(checks.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reports_each_check_and_gives_up_on_slow_ones() {
        let readiness = Readiness::default();
        assert!(readiness.report().await.is_ready());
        readiness.register("store", async || Ok(()));
        readiness.register("bus", async || Err("closed".to_owned()));
        readiness.register("slow", std::future::pending);
        let report = readiness.report().await;
        assert!(!report.is_ready());
        let problems: Vec<_> = report.checks.iter().map(|c| c.problem.as_deref()).collect();
        assert_eq!(
            problems,
            [None, Some("closed"), Some("no answer within two seconds")]
        );
    }
}
