//! Opaque tokens that clients carry for us: cursors, plan tokens, contact ids.

use domain::shared::WorkspaceId;
use serde::{Serialize, de::DeserializeOwned};

use crate::key::Key;

/// Makes and opens tokens that a client can neither read nor alter.
#[derive(Clone)]
pub struct Sealer(Key);

impl Sealer {
    /// A sealer with the process's secret, which all replicas share.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Key::derive(secret, "token"))
    }

    /// Seals bytes for a purpose, such as `contacts-cursor:<workspace>:<audience>`: the token
    /// opens under the same purpose only.
    pub fn seal(&self, purpose: &str, bytes: &[u8]) -> String {
        self.0.seal(purpose, bytes)
    }

    /// The bytes, or `None` when the token is altered or was made for another purpose.
    pub fn open(&self, purpose: &str, token: &str) -> Option<Vec<u8>> {
        self.0.open(purpose, token)
    }

    /// Seals a value as JSON.
    pub fn seal_value(&self, purpose: &str, value: &impl Serialize) -> Option<String> {
        let bytes = serde_json::to_vec(value).ok()?;
        Some(self.seal(purpose, &bytes))
    }

    /// The value, or `None` as [`Self::open`] answers it.
    pub fn open_value<T: DeserializeOwned>(&self, purpose: &str, token: &str) -> Option<T> {
        serde_json::from_slice(&self.open(purpose, token)?).ok()
    }
}

/// Ids of contacts: their keys, encrypted, because a document must not stand in a URL.
#[derive(Clone)]
pub struct ContactIds(Key);

impl ContactIds {
    /// Ids under the process's secret, which all replicas share and which must never change.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Key::derive(secret, "contact-id"))
    }

    /// The id of a key; always the same within a workspace.
    pub fn encode(&self, workspace: &WorkspaceId, document: &str) -> String {
        self.0.seal(workspace.as_str(), document.as_bytes())
    }

    /// The key of an id, or `None` when it is no id of this workspace.
    pub fn decode(&self, workspace: &WorkspaceId, id: &str) -> Option<String> {
        String::from_utf8(self.0.open(workspace.as_str(), id)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_ids_belong_to_one_workspace() {
        let ids = ContactIds::new(&[1; 32]);
        let [one, two] = ["ws1", "ws2"].map(|id| WorkspaceId::parse(id).unwrap());
        let id = ids.encode(&one, "52998224725");
        assert_eq!(ids.decode(&one, &id).as_deref(), Some("52998224725"));
        assert_eq!(ids.decode(&two, &id), None);
        assert_ne!(ids.encode(&two, "52998224725"), id);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }

    #[test]
    fn a_token_is_no_contact_id_and_has_one_purpose() {
        let (sealer, ids) = (Sealer::new(&[1; 32]), ContactIds::new(&[1; 32]));
        let token = sealer.seal("ws1", b"x");
        assert_eq!(sealer.open("ws1", &token).as_deref(), Some(&b"x"[..]));
        assert_eq!(sealer.open("plan:ws1", &token), None);
        assert_eq!(
            ids.decode(&WorkspaceId::parse("ws1").unwrap(), &token),
            None
        );
    }
}
