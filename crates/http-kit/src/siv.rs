//! Deterministic authenticated encryption out of HMAC-SHA256, in the manner of SIV (RFC 5297):
//! the tag of the plaintext is the nonce of its key stream.
//!
//! Determinism is wanted (one contact has one id) and is all that leaks: equal plaintexts of one
//! context have equal tokens. 128 bits of tag; no limit on the number of messages that matters.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac, digest::KeyInit};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const TAG: usize = 16;
const BLOCK: usize = 32;

/// One key for tags, one for key streams.
#[derive(Clone)]
pub(crate) struct Siv {
    tag_key: Hmac<Sha256>,
    stream_key: Hmac<Sha256>,
}

fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC pads keys with zeros to its block of 64 bytes.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

fn mac(key: &Hmac<Sha256>, parts: [&[u8]; 2]) -> [u8; 32] {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Siv {
    /// Keys for one `domain` of use, derived from the process's secret.
    pub(crate) fn derive(secret: &[u8; 32], domain: &str) -> Self {
        let root = hmac(secret);
        Self {
            tag_key: hmac(&mac(&root, [b"tag:", domain.as_bytes()])),
            stream_key: hmac(&mac(&root, [b"stream:", domain.as_bytes()])),
        }
    }

    /// Encrypts for a context that must be the same to decrypt.
    pub(crate) fn seal(&self, context: &str, plain: &[u8]) -> String {
        let tag = self.tag(context, plain);
        let mut token = Vec::with_capacity(TAG + plain.len());
        token.extend_from_slice(&tag);
        token.extend_from_slice(plain);
        let (_, text) = token.split_at_mut(TAG);
        self.apply_stream(&tag, text);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Decrypts; `None` when altered, or made for another context or with another key.
    pub(crate) fn open(&self, context: &str, token: &str) -> Option<Vec<u8>> {
        let mut token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, text) = token.split_at_mut_checked(TAG)?;
        self.apply_stream(tag, text);
        bool::from(self.tag(context, text).as_slice().ct_eq(tag)).then(|| text.to_vec())
    }

    fn tag(&self, context: &str, plain: &[u8]) -> [u8; TAG] {
        let mut mac = self.tag_key.clone();
        // The length keeps context and plaintext apart.
        mac.update(&(context.len() as u64).to_be_bytes());
        mac.update(context.as_bytes());
        mac.update(plain);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut tag = [0; TAG];
        tag.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        tag
    }

    fn apply_stream(&self, tag: &[u8], text: &mut [u8]) {
        for (counter, chunk) in (0_u32..).zip(text.chunks_mut(BLOCK)) {
            let block = mac(&self.stream_key, [tag, &counter.to_be_bytes()]);
            chunk
                .iter_mut()
                .zip(block)
                .for_each(|(byte, key)| *byte ^= key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_for_the_same_context_and_key_only() {
        let siv = Siv::derive(&[7; 32], "test");
        for len in [0, 1, 31, 32, 33, 200] {
            let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let token = siv.seal("ws1", &plain);
            assert_eq!(token, siv.seal("ws1", &plain));
            assert_eq!(siv.open("ws1", &token), Some(plain.clone()));
            assert_eq!(siv.open("ws2", &token), None);
            assert_eq!(Siv::derive(&[8; 32], "test").open("ws1", &token), None);
            assert_eq!(Siv::derive(&[7; 32], "other").open("ws1", &token), None);
        }
    }

    #[test]
    fn any_altered_character_is_refused() {
        let siv = Siv::derive(&[7; 32], "test");
        let token = siv.seal("ws1", b"52998224725");
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                siv.open("ws1", std::str::from_utf8(&altered).unwrap()),
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
            assert_eq!(siv.open("ws1", bad), None, "{bad}");
        }
    }

    #[test]
    fn context_and_plaintext_do_not_run_together() {
        let siv = Siv::derive(&[7; 32], "test");
        assert_ne!(siv.seal("ab", b"c")[..21], siv.seal("a", b"bc")[..21]);
    }

    #[test]
    fn the_plaintext_does_not_show() {
        let token = Siv::derive(&[7; 32], "test").seal("ws1", b"52998224725");
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        assert!(!bytes.windows(4).any(|w| w == b"5299"));
    }
}
