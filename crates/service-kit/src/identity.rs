//! Who may call, and the secrets that keys are derived from.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::shared::{Instant, WorkspaceId};
use http_kit::Authenticator;
use ports::{
    StoreError,
    auth::{ApiKeyOwner, ApiKeyStore},
};
use settings::{ExposeSecret, Settings};
use sha2::{Digest, Sha256};

use crate::host::clock;

/// The workspace that the first key opens.
const FIRST_WORKSPACE: &str = "ws_demo";
/// Id of that key, for `key:<id>` as the acting user.
const FIRST_KEY: &str = "first";

/// A secret file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file} in the data directory: {source}")]
pub struct SecretError {
    file: &'static str,
    source: std::io::Error,
}

/// Knows nobody: of a process that answers no requests.
pub struct NoKeys;

#[async_trait]
impl ApiKeyStore for NoKeys {
    async fn owner_of(&self, _: &[u8; 32]) -> Result<Option<ApiKeyOwner>, StoreError> {
        Ok(None)
    }

    async fn ensure(&self, _: &[u8; 32], _: &ApiKeyOwner, _: Instant) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A key of one purpose: purposes are kept apart by derivation.
pub fn derived_key(secret: &str, purpose: &str) -> [u8; 32] {
    Sha256::digest(format!("{purpose}\n{secret}")).into()
}

/// A token that whoever has the secret can derive, as text.
pub fn shared_token(secret: &str, purpose: &str) -> String {
    URL_SAFE_NO_PAD.encode(derived_key(secret, purpose))
}

/// Makes the first workspace's key known.
pub(crate) async fn know_key(keys: &dyn ApiKeyStore, key: &str) -> Result<(), StoreError> {
    let workspace =
        WorkspaceId::parse(FIRST_WORKSPACE).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let owner = ApiKeyOwner {
        workspace,
        key_id: FIRST_KEY.to_owned(),
    };
    let hash = Sha256::digest(key).into();
    keys.ensure(&hash, &owner, clock().now()).await
}

/// Tells who calls; where that is asked for, callers on this machine without a key.
pub(crate) fn authenticator(
    settings: &Settings,
    keys: Arc<dyn ApiKeyStore>,
    trusts_loopback: bool,
) -> Authenticator {
    let mut authenticator = Authenticator::new(keys);
    if let Some(secret) = &settings.gateway_secret {
        authenticator = authenticator.with_gateway_secret(secret.expose_secret());
    }
    if trusts_loopback && settings.listen.ip().is_loopback() {
        authenticator = authenticator.with_embedded_loopback();
    }
    authenticator
}

/// The secret of a data directory; made where there is none.
///
/// # Errors
/// When it cannot be read or made, or is too short.
pub fn stored_secret(dir: &Path) -> Result<String, SecretError> {
    read_or_make(dir, "secret").map(|(text, _)| text)
}

/// A secret of the directory, and whether it was just made.
pub(crate) fn read_or_make(dir: &Path, file: &'static str) -> Result<(String, bool), SecretError> {
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
        let (first, made) = read_or_make(dir.path(), "api-key").unwrap();
        let (second, again) = read_or_make(dir.path(), "api-key").unwrap();
        assert_eq!((made, again), (true, false));
        assert_eq!(first, second);
        let meta = std::fs::metadata(dir.path().join("api-key")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(dir.path().join("secret"), "short").unwrap();
        assert!(stored_secret(dir.path()).is_err());
    }
}
