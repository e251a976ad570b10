//! The cursors of walks through contacts.

use chrono::DateTime;
use domain::{
    contact::Document,
    shared::{AudienceId, Epoch, RemovalNo, WorkspaceId},
};
use http_kit::{Cursors, Problem, Sealer};
use serde::{Deserialize, Serialize};

use super::Caller;
use crate::contact::read::ContactCursor;

#[derive(Serialize, Deserialize)]
struct Wire {
    e: i64,
    r: Vec<i64>,
    d: String,
    t: i64,
}

/// Walks through the contacts of one audience.
pub struct Walks<'a>(Cursors<'a>);

impl<'a> Walks<'a> {
    /// Those of an audience of a workspace.
    pub fn new(sealer: &'a Sealer, workspace: &WorkspaceId, audience: AudienceId) -> Self {
        let list = format!("contacts:{audience}");
        Self(Cursors::new(sealer, workspace, &list))
    }

    /// Those of an audience of the caller's workspace.
    pub fn of(caller: &'a Caller, audience: AudienceId) -> Self {
        Self::new(&caller.context().sealer, &caller.actor.workspace, audience)
    }

    /// The cursor of where a walk stands.
    pub fn seal(&self, cursor: &ContactCursor) -> Option<String> {
        self.0.seal(&Wire {
            e: cursor.epoch.0,
            r: cursor.removals.iter().map(|r| r.0).collect(),
            d: cursor.after.as_str().to_owned(),
            t: cursor.began_at.timestamp_millis(),
        })
    }

    /// Where a walk stands, by its cursor.
    ///
    /// # Errors
    /// 400 `invalid_cursor`.
    pub fn open(&self, cursor: Option<&str>) -> Result<Option<ContactCursor>, Problem> {
        let detail = "the cursor has no valid time";
        let read = |wire: Wire| {
            let began_at = DateTime::from_timestamp_millis(wire.t)
                .ok_or_else(|| Problem::bad_request("invalid_cursor", detail))?;
            Ok(ContactCursor {
                epoch: Epoch(wire.e),
                removals: wire.r.into_iter().map(RemovalNo).collect(),
                after: Document::from_stored(wire.d),
                began_at,
            })
        };
        self.0.open(cursor)?.map(read).transpose()
    }
}
