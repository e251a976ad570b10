//! Secrets at rest.

use ports::SecretVault;

use crate::Sealer;

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
}
