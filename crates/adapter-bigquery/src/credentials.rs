//! Who asks.

use google_cloud_auth::credentials::{
    CacheableResource, Credentials as Issuer, anonymous, mds,
    service_account::{self, AccessSpecifier},
};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";

/// Who asks.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// The key file of a service account, in JSON. Tokens are signed here; no other host is asked for one.
    ServiceAccount(SecretString),
    /// The account of the machine, by its metadata server.
    Metadata {
        /// Where that server is, when it is not where Google's machines have it.
        endpoint: Option<String>,
    },
    /// Nobody; only of an endpoint that is not Google's.
    Anonymous,
}

impl Credentials {
    /// What makes the headers of requests. Needs a runtime, in which tokens are renewed.
    pub(crate) fn issuer(&self) -> Result<Issuer, Error> {
        match self {
            Self::ServiceAccount(key) => {
                let key = serde_json::from_str(key.expose_secret());
                // The messages of these errors may repeat parts of the key.
                let key = key.map_err(|_| Error::Unauthorized)?;
                service_account::Builder::new(key)
                    .with_access_specifier(AccessSpecifier::from_scopes([SCOPE]))
                    .build()
            }
            Self::Metadata { endpoint } => {
                let builder = mds::Builder::default().with_scopes([SCOPE]);
                match endpoint {
                    Some(endpoint) => builder.with_endpoint(endpoint),
                    None => builder,
                }
                .build()
            }
            Self::Anonymous => Ok(anonymous::Builder::new().build()),
        }
        .map_err(|_| Error::Unauthorized)
    }
}

/// The headers that say who asks.
pub(crate) async fn headers(issuer: &Issuer) -> Result<HeaderMap, Error> {
    match issuer.headers(Default::default()).await {
        Ok(CacheableResource::New { data, .. }) => Ok(data),
        // Only asked for when an earlier answer is named.
        Ok(CacheableResource::NotModified) => Err(Error::Unauthorized),
        Err(error) if error.is_transient() => Err(Error::Unavailable {
            code: "no_token",
            retry_after: None,
        }),
        Err(_) => Err(Error::Unauthorized),
    }
}
