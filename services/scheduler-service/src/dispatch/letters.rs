//! What waits, encrypted.

use domain::shared::CommunicationId;
use ports::{SecretVault, StoreError};

use super::decide::Letter;

fn purpose(of: CommunicationId) -> String {
    format!("letter:{of}")
}

/// Encrypts what leaves later.
///
/// # Errors
/// `Internal` where it cannot be written.
pub fn seal(
    vault: &dyn SecretVault,
    of: CommunicationId,
    letter: &Letter,
) -> Result<Vec<u8>, StoreError> {
    let text = serde_json::to_string(letter).map_err(|e| StoreError::Internal(Box::new(e)))?;
    Ok(vault.seal(&purpose(of), &text))
}

/// Decrypts it; `None` where it was altered, or encrypted with another key.
pub fn open(vault: &dyn SecretVault, of: CommunicationId, sealed: &[u8]) -> Option<Letter> {
    let text = vault.open(&purpose(of), sealed)?;
    serde_json::from_str(&text).ok()
}
