//! Secrets at rest.

use ports::SecretVault;
use sha2::{Digest, Sha256};

use crate::Sealer;

/// Bytes of a hash that make a name: no two texts of a workspace share one.
const PSEUDONYM_BYTES: usize = 15;

/// Encrypts secrets with a key of the process; each opens for its own purpose only.
pub struct Vault(Sealer);

impl Vault {
    /// A vault with a key of 32 bytes, which all replicas share.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Sealer::new(key))
    }
}

impl SecretVault for Vault {
    fn seal(&self, purpose: &str, secret: &str) -> Vec<u8> {
        self.0.seal(purpose, secret.as_bytes()).into_bytes()
    }

    fn open(&self, purpose: &str, sealed: &[u8]) -> Option<String> {
        let sealed = std::str::from_utf8(sealed).ok()?;
        String::from_utf8(self.0.open(purpose, sealed)?).ok()
    }

    fn pseudonym(&self, purpose: &str, text: &str) -> String {
        // Equal texts are sealed alike, and nobody seals without the key.
        let digest = Sha256::digest(self.0.seal(purpose, text.as_bytes()));
        let bytes = digest.iter().take(PSEUDONYM_BYTES);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_purpose_and_key_only_and_does_not_show() {
        let vault = Vault::new(&[1; 32]);
        let sealed = vault.seal("client:1", "s3cret-of-the-crm");
        let opened = vault.open("client:1", &sealed);
        assert_eq!(opened.as_deref(), Some("s3cret-of-the-crm"));
        assert_eq!(vault.open("client:2", &sealed), None);
        assert_eq!(Vault::new(&[2; 32]).open("client:1", &sealed), None);
        assert!(!String::from_utf8(sealed).unwrap().contains("s3cret"));
    }

    #[test]
    fn a_pseudonym_is_of_its_text_purpose_and_key() {
        let vault = Vault::new(&[1; 32]);
        let name = vault.pseudonym("recipient:w", "52998224725");
        assert_eq!(vault.pseudonym("recipient:w", "52998224725"), name);
        assert!(name.len() == 30 && name.bytes().all(|b| b.is_ascii_alphanumeric()));
        let others = [
            vault.pseudonym("recipient:w", "52998224726"),
            vault.pseudonym("recipient:x", "52998224725"),
            Vault::new(&[2; 32]).pseudonym("recipient:w", "52998224725"),
        ];
        assert!(!others.contains(&name));
    }
}
