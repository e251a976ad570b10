//! Opaque cursors: sealed, bound to what they walk.

use domain::{
    contact::Document,
    shared::{AudienceId, Epoch, RemovalNo, WorkspaceId},
};
use http_kit::{Problem, Sealer};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::application::contact::read::ContactCursor;

/// Seals a position for one purpose.
pub fn seal(sealer: &Sealer, purpose: &str, position: &impl Serialize) -> Option<String> {
    let bytes = serde_json::to_vec(position).ok()?;
    Some(sealer.seal(purpose, &bytes))
}

/// Opens a cursor.
///
/// # Errors
/// 400 `invalid_cursor` for one that was altered or made for something else.
pub fn open<T: DeserializeOwned>(
    sealer: &Sealer,
    purpose: &str,
    cursor: &str,
) -> Result<T, Problem> {
    let opened = sealer
        .open(purpose, cursor)
        .and_then(|b| serde_json::from_slice(&b).ok());
    let detail = "the cursor was altered, or was made for another list";
    opened.ok_or_else(|| Problem::bad_request("invalid_cursor", detail))
}

#[derive(Serialize, Deserialize)]
struct Wire {
    e: i64,
    r: Vec<i64>,
    d: String,
    t: i64,
}

fn purpose(workspace: &WorkspaceId, audience: AudienceId) -> String {
    format!("contacts:{workspace}:{audience}")
}

/// The cursor of a walk through contacts.
pub fn seal_contacts(
    sealer: &Sealer,
    workspace: &WorkspaceId,
    audience: AudienceId,
    cursor: &ContactCursor,
) -> Option<String> {
    let wire = Wire {
        e: cursor.epoch.0,
        r: cursor.removals.iter().map(|r| r.0).collect(),
        d: cursor.after.as_str().to_owned(),
        t: cursor.began_at.timestamp_millis(),
    };
    seal(sealer, &purpose(workspace, audience), &wire)
}

/// Opens the cursor of a walk through contacts.
///
/// # Errors
/// 400 `invalid_cursor`.
pub fn open_contacts(
    sealer: &Sealer,
    workspace: &WorkspaceId,
    audience: AudienceId,
    cursor: &str,
) -> Result<ContactCursor, Problem> {
    let wire: Wire = open(sealer, &purpose(workspace, audience), cursor)?;
    let began_at = chrono::DateTime::from_timestamp_millis(wire.t);
    let began_at = began_at
        .ok_or_else(|| Problem::bad_request("invalid_cursor", "the cursor has no valid time"))?;
    Ok(ContactCursor {
        epoch: Epoch(wire.e),
        removals: wire.r.into_iter().map(RemovalNo).collect(),
        after: Document::from_stored(wire.d),
        began_at,
    })
}
