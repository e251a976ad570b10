//! One key, for one use.

use aes_siv::{KeyInit, siv::Aes256Siv};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha512;

/// The key of one use: the first half makes tags, the second encrypts.
#[derive(Clone)]
pub(crate) struct Key([u8; 64]);

impl Key {
    /// The key of a `domain` of use, derived from the process's secret.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn derive(secret: &[u8; 32], domain: &str) -> Self {
        let mut hmac = <Hmac<Sha512> as Mac>::new_from_slice(secret).expect("a key");
        hmac.update(domain.as_bytes());
        Self(hmac.finalize().into_bytes().into())
    }

    /// Encrypts for a context that must be the same to decrypt.
    #[expect(
        clippy::expect_used,
        reason = "it fails for more than 126 headers only"
    )]
    pub fn seal(&self, context: &str, plain: &[u8]) -> String {
        let sealed = self.cipher().encrypt([context], plain);
        URL_SAFE_NO_PAD.encode(sealed.expect("one header"))
    }

    /// Decrypts; `None` when altered, or made for another context or with another key.
    pub fn open(&self, context: &str, token: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        self.cipher().decrypt([context], &sealed).ok()
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new(&self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_for_the_same_context_and_key_only() {
        let key = Key::derive(&[7; 32], "test");
        for len in [0, 1, 31, 32, 33, 200] {
            let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let token = key.seal("ws1", &plain);
            assert_eq!(token, key.seal("ws1", &plain));
            assert_eq!(key.open("ws1", &token), Some(plain.clone()));
            assert_eq!(key.open("ws2", &token), None);
            assert_eq!(Key::derive(&[8; 32], "test").open("ws1", &token), None);
            assert_eq!(Key::derive(&[7; 32], "other").open("ws1", &token), None);
        }
    }

    #[test]
    fn any_altered_character_is_refused() {
        let key = Key::derive(&[7; 32], "test");
        let token = key.seal("ws1", b"52998224725");
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                key.open("ws1", std::str::from_utf8(&altered).unwrap()),
                None,
                "{at}"
            );
        }
        for bad in [
            "",
            "A",
            "é",
            &token[1..],
            &format!("{token}="),
            &format!("{token}AA"),
        ] {
            assert_eq!(key.open("ws1", bad), None, "{bad}");
        }
    }

    #[test]
    fn context_and_plaintext_do_not_run_together() {
        let key = Key::derive(&[7; 32], "test");
        assert_ne!(key.seal("ab", b"c")[..21], key.seal("a", b"bc")[..21]);
    }

    #[test]
    fn the_plaintext_does_not_show() {
        let token = Key::derive(&[7; 32], "test").seal("ws1", b"52998224725");
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        assert!(!bytes.windows(4).any(|w| w == b"5299"));
    }
}
