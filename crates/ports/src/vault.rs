//! Secrets at rest.

/// Encrypts secrets with a key from the configuration.
pub trait SecretVault: Send + Sync {
    /// Encrypts a secret for a purpose, which names what it belongs to.
    fn seal(&self, purpose: &str, secret: &str) -> Vec<u8>;

    /// Decrypts it; `None` when it was altered, or sealed for another purpose or with another key.
    fn open(&self, purpose: &str, sealed: &[u8]) -> Option<String>;

    /// A name of a text for a purpose, of 30 letters and digits: the same every time, and without the key it tells
    /// nothing of the text, however few texts there may be.
    fn pseudonym(&self, purpose: &str, text: &str) -> String;
}
