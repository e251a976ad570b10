//! Where connections live.

use diesel::{ConnectionError, ConnectionResult};
use futures::{FutureExt, future::BoxFuture};
use tokio::{runtime::Handle, task::JoinSet};

/// The runtime that opened the database. A connection ends with the runtime it was made on, so pools
/// make theirs on this one, and not on that of the web worker that happens to ask first.
#[derive(Clone)]
pub(crate) struct Home(Option<Handle>);

impl Home {
    /// The runtime of the caller, if it runs on one.
    pub fn here() -> Self {
        Self(Handle::try_current().ok())
    }

    /// Connects there; gives up when it is dropped.
    pub fn connect<C: Send + 'static>(
        &self,
        connecting: BoxFuture<'static, ConnectionResult<C>>,
    ) -> BoxFuture<'static, ConnectionResult<C>> {
        let Some(home) = self.0.clone() else {
            return connecting;
        };
        async move {
            let mut task = JoinSet::new();
            task.spawn_on(connecting, &home);
            match task.join_next().await {
                Some(Ok(connected)) => connected,
                Some(Err(ended)) => Err(ConnectionError::BadConnection(ended.to_string())),
                None => Err(ConnectionError::BadConnection("not begun".to_owned())),
            }
        }
        .boxed()
    }
}
