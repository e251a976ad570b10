//! Secrets at rest.

/// Encrypts secrets with a key from the configuration.
pub trait SecretVault: Send + Sync {
    /// Encrypts a secret for a purpose, which names what it belongs to.
    fn seal(&self, purpose: &str, secret: &str) -> Vec<u8>;

    /// Decrypts it; `None` when it was altered, or sealed for another purpose or with another key.
    fn open(&self, purpose: &str, sealed: &[u8]) -> Option<String>;
}
