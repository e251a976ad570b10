//! What is kept of somebody's phone, e-mail or document.

use std::sync::Arc;

use domain::{
    shared::WorkspaceId,
    suppression::{Suppressed, SuppressedHash},
};
use ports::SecretVault;

/// Makes keyed hashes: without the key of the installation nobody tells whether a value is among them.
#[derive(Clone)]
pub struct Hashes {
    pub(crate) vault: Arc<dyn SecretVault>,
}

impl Hashes {
    /// The hash of a value in a workspace: another one in every other.
    pub fn of(&self, workspace: &WorkspaceId, who: &Suppressed) -> SuppressedHash {
        let kind = who.kind();
        let purpose = format!("suppression:{workspace}:{kind}");
        let hash = self.vault.pseudonym(&purpose, who.value());
        SuppressedHash { kind, hash }
    }
}
