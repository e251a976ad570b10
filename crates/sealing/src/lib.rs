//! What leaves the process or lies on a disk encrypted: cursors and plan tokens, ids of contacts, tokens of
//! clients, credentials.
//!
//! Everything is AES-SIV (RFC 5297) with 256-bit keys, in URL-safe Base64 without padding: a tag of 16 bytes,
//! then as many bytes as the plaintext has. It is deterministic, since one contact has one id: that equal
//! plaintexts of one key and context are equal is all that shows.

mod key;
mod tokens;
mod vault;

pub use tokens::{ContactIds, Sealer};
pub use vault::Vault;
