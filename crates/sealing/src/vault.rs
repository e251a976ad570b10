//! Tokens of clients at rest.

use domain::{importing::ApiToken, shared::ClientId};
use ports::importing::TokenVault;

use crate::Sealer;

/// Encrypts tokens with a key of the process; each opens for its own client only.
pub struct Vault(Sealer);

impl Vault {
    /// A vault with a key of 32 bytes, which all replicas share.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Sealer::new(key))
    }
}

fn purpose(client: ClientId) -> String {
    format!("client-token:{}", client.raw())
}

impl TokenVault for Vault {
    fn seal(&self, client: ClientId, token: &ApiToken) -> Vec<u8> {
        let sealed = self.0.seal(&purpose(client), token.reveal().as_bytes());
        sealed.into_bytes()
    }

    fn open(&self, client: ClientId, sealed: &[u8]) -> Option<ApiToken> {
        let sealed = std::str::from_utf8(sealed).ok()?;
        let token = self.0.open(&purpose(client), sealed)?;
        ApiToken::parse(std::str::from_utf8(&token).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_for_its_client_and_key_only_and_does_not_show() {
        let vault = Vault::new(&[1; 32]);
        let token = ApiToken::parse("s3cret-of-the-crm").unwrap();
        let sealed = vault.seal(ClientId::from_raw(1), &token);
        assert_eq!(vault.open(ClientId::from_raw(1), &sealed), Some(token));
        assert_eq!(vault.open(ClientId::from_raw(2), &sealed), None);
        assert_eq!(
            Vault::new(&[2; 32]).open(ClientId::from_raw(1), &sealed),
            None
        );
        assert!(!String::from_utf8(sealed).unwrap().contains("s3cret"));
    }
}
