//! Tokens at rest.

use domain::{importing::ApiToken, shared::ClientId};

/// Encrypts the tokens of clients with a key from the configuration.
pub trait TokenVault: Send + Sync {
    /// Encrypts a token for a client.
    fn seal(&self, client: ClientId, token: &ApiToken) -> Vec<u8>;

    /// Decrypts it; `None` when it was altered, or sealed for another client or with another key.
    fn open(&self, client: ClientId, sealed: &[u8]) -> Option<ApiToken>;
}
