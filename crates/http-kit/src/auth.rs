//! Who calls: an API key, or a gateway that vouches for a user.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HOST, HeaderMap},
    },
};
use domain::shared::{UserId, WorkspaceId};
use ports::{StoreError, auth::ApiKeyStore};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Problem;

/// Names the tenant.
pub const WORKSPACE_HEADER: &str = "workSpaceId";
/// Names the acting user.
pub const USER_HEADER: &str = "userId";
/// Proves that a request came through the gateway.
pub const GATEWAY_SECRET_HEADER: &str = "x-gateway-secret";

/// A token that opens what no workspace has. Without one nothing does.
#[derive(Clone, Default)]
pub struct SharedToken(Option<[u8; 32]>);

impl SharedToken {
    /// From the configuration.
    pub fn new(token: Option<&str>) -> Self {
        let set = token.filter(|token| !token.is_empty());
        Self(set.map(sha256))
    }

    /// Whether there is one.
    pub const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a request carries it in this header, once. Hashes are compared, in constant time, so that neither
    /// length nor content shows in how long it takes.
    pub fn opens_for(&self, request: &HttpRequest, header: &str) -> bool {
        match (single(request.headers(), header), &self.0) {
            (Ok(Some(token)), Some(expected)) => sha256(token).ct_eq(expected).into(),
            _ => false,
        }
    }
}

/// Who calls, and in which workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The tenant whose data the request sees.
    pub workspace: WorkspaceId,
    /// Who acts.
    pub user: UserId,
}

/// Why a caller is not known. Each face renders it in its own shape.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credentials that count.
    #[error("credentials are missing")]
    Missing,
    /// Credentials that are wrong, incomplete or contradict each other.
    #[error("credentials are not valid")]
    Invalid,
    /// A trusted loopback request whose `Host` is another name: a page of a foreign site may have
    /// been rebound to this address.
    #[error("the Host header must be a loopback name")]
    ForeignHost,
    /// The keys cannot be read now.
    #[error("credentials cannot be checked")]
    Store(#[from] StoreError),
}

impl AuthError {
    /// Status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::Invalid => StatusCode::UNAUTHORIZED,
            Self::ForeignHost => StatusCode::FORBIDDEN,
            Self::Store(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = format!("{error}.");
        match error {
            AuthError::Missing | AuthError::Invalid => {
                Self::unauthorized("unauthorized").with_detail(detail)
            }
            AuthError::ForeignHost => Self::forbidden("foreign_host", detail),
            AuthError::Store(error) => error.into(),
        }
    }
}

/// Tells who calls.
#[derive(Clone)]
pub struct Authenticator {
    keys: Arc<dyn ApiKeyStore>,
    gateway_secret: Option<[u8; 32]>,
    embedded_loopback: bool,
}

impl Authenticator {
    /// Takes API keys only.
    pub fn new(keys: Arc<dyn ApiKeyStore>) -> Self {
        Self {
            keys,
            gateway_secret: None,
            embedded_loopback: false,
        }
    }

    /// Takes the gateway's headers too, when they come with this secret.
    #[must_use]
    pub fn with_gateway_secret(mut self, secret: &str) -> Self {
        self.gateway_secret = Some(sha256(secret));
        self
    }

    /// Takes the gateway's headers from this machine, while the server listens on loopback only.
    #[must_use]
    pub const fn with_embedded_loopback(mut self) -> Self {
        self.embedded_loopback = true;
        self
    }

    /// Tells who calls.
    ///
    /// # Errors
    /// When it is nobody known, or the keys cannot be read.
    pub async fn authenticate(&self, request: &HttpRequest) -> Result<Principal, AuthError> {
        let headers = request.headers();
        let claimed = Claim::read(headers)?;
        match single(headers, AUTHORIZATION.as_str())? {
            Some(authorization) => self.by_key(authorization, claimed).await,
            None => self.by_gateway(request, claimed),
        }
    }

    async fn by_key(&self, authorization: &str, claimed: Claim) -> Result<Principal, AuthError> {
        let (scheme, key) = authorization.split_once(' ').ok_or(AuthError::Invalid)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::Invalid);
        }
        // The look-up is by hash, so its timing tells nothing about the key.
        let owner = self
            .keys
            .owner_of(&sha256(key.trim()))
            .await?
            .ok_or(AuthError::Invalid)?;
        if claimed
            .workspace
            .is_some_and(|workspace| workspace != owner.workspace)
        {
            return Err(AuthError::Invalid);
        }
        let user = match claimed.user {
            Some(user) => user,
            None => UserId::parse(&format!("key:{}", owner.key_id))
                .map_err(|_| StoreError::Corrupt("id of an API key"))?,
        };
        Ok(Principal {
            workspace: owner.workspace,
            user,
        })
    }

    fn by_gateway(&self, request: &HttpRequest, claimed: Claim) -> Result<Principal, AuthError> {
        let (workspace, user) = match (claimed.workspace, claimed.user) {
            (Some(workspace), Some(user)) => (workspace, user),
            (None, None) => return Err(AuthError::Missing),
            _ => return Err(AuthError::Invalid),
        };
        match (
            single(request.headers(), GATEWAY_SECRET_HEADER)?,
            &self.gateway_secret,
        ) {
            (Some(sent), Some(secret)) if bool::from(sha256(sent).ct_eq(secret)) => {}
            (Some(_), _) => return Err(AuthError::Invalid),
            (None, _) if self.embedded_loopback && is_loopback(request) => {
                if !names_loopback(request) {
                    return Err(AuthError::ForeignHost);
                }
            }
            (None, _) => return Err(AuthError::Invalid),
        }
        Ok(Principal { workspace, user })
    }
}

/// What the gateway's headers claim; worth nothing without proof.
struct Claim {
    workspace: Option<WorkspaceId>,
    user: Option<UserId>,
}

impl Claim {
    fn read(headers: &HeaderMap) -> Result<Self, AuthError> {
        let workspace = single(headers, WORKSPACE_HEADER)?
            .map(WorkspaceId::parse)
            .transpose();
        let user = single(headers, USER_HEADER)?.map(UserId::parse).transpose();
        Ok(Self {
            workspace: workspace.map_err(|_| AuthError::Invalid)?,
            user: user.map_err(|_| AuthError::Invalid)?,
        })
    }
}

/// The one value of a header; two values may mean that somebody in between added his own.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, AuthError> {
    let mut values = headers.get_all(name);
    let value = values.next().map(|value| value.to_str()).transpose();
    if values.next().is_some() {
        return Err(AuthError::Invalid);
    }
    value.map_err(|_| AuthError::Invalid)
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Whether the request came from this machine to a server that only this machine reaches.
fn is_loopback(request: &HttpRequest) -> bool {
    let local = |addr: SocketAddr| addr.ip().to_canonical().is_loopback();
    request.peer_addr().is_some_and(local) && local(request.app_config().local_addr())
}

fn names_loopback(request: &HttpRequest) -> bool {
    let sent = match single(request.headers(), HOST.as_str()) {
        Ok(Some(host)) => Some(host),
        // HTTP/2 sends it in the request line.
        Ok(None) => request
            .uri()
            .authority()
            .map(|authority| authority.as_str()),
        Err(_) => None,
    };
    sent.is_some_and(is_loopback_name)
}

fn is_loopback_name(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_loopback_ip = match bare {
        Some(v6) => v6
            .parse()
            .is_ok_and(|ip: std::net::Ipv6Addr| ip.is_loopback()),
        None => name
            .parse()
            .is_ok_and(|ip: IpAddr| ip.is_ipv4() && ip.is_loopback()),
    };
    port.bytes().all(|b| b.is_ascii_digit())
        && (is_loopback_ip || name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
