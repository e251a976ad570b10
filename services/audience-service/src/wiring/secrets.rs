//! Secrets of the data directory, readable by their owner only.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A secret file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file} in the data directory: {source}")]
pub struct SecretError {
    file: &'static str,
    source: std::io::Error,
}

/// Keys for what leaves the process and comes back.
pub(super) struct Secrets {
    /// Seals cursors and plans.
    pub tokens: [u8; 32],
    /// Makes contact ids.
    pub contact_ids: [u8; 32],
}

impl Secrets {
    /// The keys that one secret makes. Purposes are kept apart by derivation.
    pub fn of(text: &str) -> Self {
        let derive = |purpose: &str| sha256(format!("{purpose}\n{text}").as_bytes());
        Self {
            tokens: derive("tokens"),
            contact_ids: derive("contact-ids"),
        }
    }
}

/// The secret of the directory; made where there is none.
pub(super) fn stored_secret(dir: &Path) -> Result<String, SecretError> {
    read_or_make(dir, "secret").map(|(text, _)| text)
}

/// The key of the first workspace, and whether it was just made.
pub(super) fn stored_key(dir: &Path) -> Result<(String, bool), SecretError> {
    read_or_make(dir, "api-key")
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn read_or_make(dir: &Path, file: &'static str) -> Result<(String, bool), SecretError> {
    let failed = |source| SecretError { file, source };
    let path = dir.join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => return Ok((text.trim().to_owned(), false)),
        Ok(_) => {
            let short = std::io::Error::new(ErrorKind::InvalidData, "shorter than 32 characters");
            return Err(failed(short));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut bytes = [0u8; 32];
    let mut random = std::fs::File::open("/dev/urandom").map_err(failed)?;
    random.read_exact(&mut bytes).map_err(failed)?;
    let text = format!("plt_{}", URL_SAFE_NO_PAD.encode(bytes));
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(0o600).open(&path);
    let mut out = created.map_err(failed)?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.sync_all())
        .map_err(failed)?;
    Ok((text, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let (first, made) = stored_key(dir.path()).unwrap();
        let (second, again) = stored_key(dir.path()).unwrap();
        assert_eq!((made, again), (true, false));
        assert_eq!(first, second);
        let meta = std::fs::metadata(dir.path().join("api-key")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(dir.path().join("secret"), "short").unwrap();
        assert!(stored_secret(dir.path()).is_err());
    }
}
