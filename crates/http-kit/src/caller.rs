//! Who calls, and what a handler works with on their behalf.

use std::{ops::Deref, sync::Arc};

use actix_web::{Error, HttpRequest};
use api_types::List;
use domain::shared::WorkspaceId;
use kernel::{Actor, RequestId};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Answer, ApiContext, Problem, Sealer};

/// What a handler of V1 answers.
pub type ApiResult = Result<Answer, Problem>;

/// What the handlers of a service work with. They reach it through the first of their arguments.
pub struct Api<S> {
    context: ApiContext,
    state: S,
}

impl<S> Api<S> {
    /// This state, and how requests are taken.
    pub fn new(context: ApiContext, state: S) -> Arc<Self> {
        Arc::new(Self { context, state })
    }

    /// The state of the service.
    pub const fn state(&self) -> &S {
        &self.state
    }

    /// How requests are taken.
    pub const fn context(&self) -> &ApiContext {
        &self.context
    }
}

/// The first argument of a handler: it stands for a request that was let in, and gives access to the
/// state of the service.
pub trait Authenticated<S>: Sized {
    /// Lets a request in.
    ///
    /// # Errors
    /// The answer to a request without the right credentials.
    fn authenticate(
        request: &HttpRequest,
        api: &Arc<Api<S>>,
    ) -> impl Future<Output = Result<Self, Error>>;
}

/// A user of a workspace, as the authenticator knows them. Dereferences to the state of the service.
pub struct Caller<S> {
    /// Who acts, in which workspace.
    pub actor: Actor,
    api: Arc<Api<S>>,
}

impl<S> Clone for Caller<S> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            api: Arc::clone(&self.api),
        }
    }
}

impl<S> Deref for Caller<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.api.state
    }
}

impl<S> Authenticated<S> for Caller<S> {
    async fn authenticate(request: &HttpRequest, api: &Arc<Api<S>>) -> Result<Self, Error> {
        Ok(Self {
            actor: api.context.caller(request).await?,
            api: Arc::clone(api),
        })
    }
}

impl<S> Caller<S> {
    /// How the requests of the service are taken.
    pub fn context(&self) -> &ApiContext {
        self.api.context()
    }

    /// Runs a change other than a POST's to its end, even if the client goes away.
    ///
    /// # Errors
    /// What the change answers.
    pub async fn change<C, F>(self, change: C) -> ApiResult
    where
        C: FnOnce(Self) -> F,
        F: Future<Output = ApiResult> + Send + 'static,
    {
        let api = Arc::clone(&self.api);
        api.context.spawn(change(self)).await
    }

    /// The identity of a change without an idempotency key.
    pub fn request_id(&self) -> RequestId {
        self.context().idempotency.fresh()
    }

    /// The positions in a list of the caller's workspace. Each list has a name of its own, with what it
    /// is a list of.
    pub fn cursors(&self, list: &str) -> Cursors<'_> {
        Cursors::new(&self.context().sealer, &self.actor.workspace, list)
    }
}

/// Positions in one list, sealed so that a client can neither read nor alter them.
pub struct Cursors<'a> {
    sealer: &'a Sealer,
    purpose: String,
}

impl<'a> Cursors<'a> {
    /// Those in a list of a workspace.
    pub fn new(sealer: &'a Sealer, workspace: &WorkspaceId, list: &str) -> Self {
        let purpose = format!("{list}:{workspace}");
        Self { sealer, purpose }
    }

    /// The position that a cursor stands for, where there is one.
    ///
    /// # Errors
    /// 400 `invalid_cursor` for one that was altered or made for another list.
    pub fn open<T: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let detail = "the cursor was altered, or was made for another list";
        let opened = self.sealer.open_value(&self.purpose, cursor);
        opened
            .map(Some)
            .ok_or_else(|| Problem::bad_request("invalid_cursor", detail))
    }

    /// The cursor of a position.
    pub fn seal(&self, position: &impl Serialize) -> Option<String> {
        self.sealer.seal_value(&self.purpose, position)
    }

    /// The cursor of the page after these rows, if there are more.
    pub fn next<R, P: Serialize>(
        &self,
        rows: &[R],
        more: bool,
        position: impl FnOnce(&R) -> P,
    ) -> Option<String> {
        let last = rows.last().filter(|_| more);
        last.and_then(|last| self.seal(&position(last)))
    }

    /// A page of the list: rows, and whether there are more.
    pub fn page<R, P: Serialize, J>(
        &self,
        (rows, more): (Vec<R>, bool),
        position: impl FnOnce(&R) -> P,
        json: impl FnMut(R) -> J,
    ) -> List<J> {
        let next_cursor = self.next(&rows, more, position);
        let data = rows.into_iter().map(json).collect();
        List { data, next_cursor }
    }
}
