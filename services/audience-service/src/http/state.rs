//! What handlers share, and the frame they run in.

use std::{ops::Deref, sync::Arc};

use http_kit::{ApiContext, ContactIds};
use messaging::DeadLetterQueue;

use crate::application::{RequestId, UseCases};

pub use http_kit::Body;

/// What handlers share.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub app: Arc<UseCases>,
    /// Callers, bodies, idempotency, cursors.
    pub context: ApiContext,
    /// Contact ids.
    pub contact_ids: ContactIds,
    /// What the bus gave up.
    pub dead_letters: DeadLetterQueue,
    /// Most items of one write.
    pub item_limit: usize,
}

impl ApiState {
    /// The identity of a change without an idempotency key.
    pub fn request_id(&self) -> RequestId {
        RequestId {
            write_id: self.app.ids.next(),
            keyed: false,
        }
    }
}

impl Deref for ApiState {
    type Target = ApiContext;

    fn deref(&self) -> &ApiContext {
        &self.context
    }
}
