//! A copy of a database sends nothing: what the original sends would be sent twice.

use std::{sync::Arc, time::Duration};

use ports::bus::EnvironmentStore;
use runtime::Lifecycle;
use tokio::sync::watch;

/// Pause between two looks while nothing may be sent.
const LOOK: Duration = Duration::from_secs(2);

/// What is known of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// Nothing yet.
    Nothing,
    /// It belongs to this environment.
    Ours,
    /// It belongs to another one.
    Foreign(String),
}

/// Whether a service may send: its database belongs to the environment that the settings name.
#[derive(Clone)]
pub struct Guard(watch::Receiver<Known>);

impl Guard {
    /// Looks from now on, until the database is ours. While it is another environment's, the process is not ready.
    pub(crate) fn new(
        service: &'static str,
        store: Arc<dyn EnvironmentStore>,
        own: &str,
        life: &Lifecycle,
    ) -> Self {
        let (tell, known) = watch::channel(Known::Nothing);
        let seen = known.clone();
        let configured = own.to_owned();
        life.readiness().register("environment", move || {
            let ready = match &*seen.borrow() {
                // Whether the database answers, another check says.
                Known::Ours | Known::Nothing => Ok(()),
                Known::Foreign(stored) => Err(foreign(service, stored, &configured)),
            };
            async { ready }
        });
        let (own, soft) = (own.to_owned(), life.soft());
        life.spawn_named("environment", async move {
            loop {
                let now = match store.environment(&own).await {
                    Ok(stored) if stored == own => Known::Ours,
                    Ok(stored) => Known::Foreign(stored),
                    Err(error) => {
                        tracing::warn!(service, %error, "the environment of the database is not known");
                        Known::Nothing
                    }
                };
                let is_new = tell.send_if_modified(|known| {
                    let is_new = *known != now;
                    known.clone_from(&now);
                    is_new
                });
                match (&now, is_new) {
                    (Known::Foreign(stored), true) => {
                        tracing::error!("{}", foreign(service, stored, &own));
                    }
                    (Known::Ours, _) => return soft.cancelled().await,
                    _ => {}
                }
                if tokio::time::timeout(LOOK, soft.cancelled()).await.is_ok() {
                    return;
                }
            }
        });
        Self(known)
    }

    /// Waits until the service may send; `false` where the process ends before.
    pub async fn opened(mut self) -> bool {
        // The teller goes with the process.
        self.0.wait_for(|known| *known == Known::Ours).await.is_ok()
    }
}

/// What is said of a database that was adopted.
pub fn adopted(before: Option<String>, own: &str) -> String {
    match before {
        Some(before) if before != own => format!("environment {before:?} before, {own:?} now"),
        _ => format!("environment {own:?}, as before"),
    }
}

/// What is said of the environment of a database.
pub fn shown(stored: &str, own: &str) -> String {
    match stored == own {
        true => format!("environment {stored:?}"),
        false => format!("environment {stored:?}, and environment.id is {own:?}: nothing is sent"),
    }
}

fn foreign(service: &str, stored: &str, configured: &str) -> String {
    format!(
        "{service}: the database belongs to environment {stored:?}, and environment.id is {configured:?}: nothing is \
         sent. If this is no copy, or the original is gone: `environment adopt`"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use ports::StoreError;
    use tokio::runtime::Handle;

    use super::*;

    struct Stored(Mutex<String>);

    #[async_trait]
    impl EnvironmentStore for Stored {
        async fn environment(&self, _: &str) -> Result<String, StoreError> {
            Ok(self.0.lock().unwrap().clone())
        }

        async fn adopt(&self, own: &str) -> Result<Option<String>, StoreError> {
            let before = std::mem::replace(&mut *self.0.lock().unwrap(), own.to_owned());
            Ok(Some(before))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_foreign_database_keeps_it_shut_until_it_is_adopted() {
        let store = Arc::new(Stored(Mutex::new("production".into())));
        let life = Lifecycle::new(Handle::current());
        let guard = Guard::new("schedules", store.clone(), "staging", &life);
        let shut = tokio::time::timeout(Duration::from_secs(60), guard.clone().opened());
        assert!(shut.await.is_err());
        let report = life.readiness().report().await;
        assert!(!report.is_ready());
        let told = format!("{report:?}");
        assert!(
            told.contains("production") && told.contains("adopt"),
            "{told}"
        );
        store.adopt("staging").await.unwrap();
        assert!(guard.opened().await);
        assert!(life.readiness().report().await.is_ready());
    }
}
