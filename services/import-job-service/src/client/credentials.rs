//! How the CRM of a client is reached: an address that may be asked, and a token that is sealed at rest.

use std::sync::Arc;

use domain::{
    importing::{ApiToken, BaseUrl, BudgetKey},
    shared::ClientId,
};
use kernel::AppError;
use ports::{
    SecretVault,
    crm::{Crm, CrmEndpoint, TicketSource},
    importing::ImportClient,
};

/// Checks, seals and opens what CRMs are reached by.
#[derive(Clone)]
pub struct Credentials {
    pub crm: Arc<dyn Crm>,
    pub vault: Arc<dyn SecretVault>,
}

impl Credentials {
    /// Refuses an address that is never to be reached; else the token as it is stored, and whose budget its
    /// requests count against.
    ///
    /// # Errors
    /// `Invalid` about `/base_url`.
    pub(super) fn seal(
        &self,
        client: ClientId,
        endpoint: &CrmEndpoint,
    ) -> Result<(Vec<u8>, BudgetKey), AppError> {
        self.crm.open(endpoint).map_err(|error| {
            let detail = "this address must not be reached";
            AppError::invalid("/base_url", error.code(), detail)
        })?;
        let sealed = self.vault.seal(&purpose(client), endpoint.token.reveal());
        Ok((sealed, endpoint.budget()))
    }

    /// The token of a client.
    ///
    /// # Errors
    /// `Failed` with `token_lost` where it cannot be decrypted.
    pub(super) fn token(&self, client: &ImportClient) -> Result<ApiToken, AppError> {
        let token = self.vault.open(&purpose(client.id), &client.sealed_token);
        let token = token.and_then(|token| ApiToken::parse(&token).ok());
        token.ok_or_else(|| {
            let detail = "the client's token cannot be decrypted: was secrets.key changed?";
            tracing::error!(client = client.id.raw(), "{detail}");
            AppError::failed("token_lost", detail)
        })
    }

    /// The CRM of a client.
    ///
    /// # Errors
    /// `Failed` with `token_lost`; `Source` where it must not be reached.
    pub fn open(&self, client: &ImportClient) -> Result<Arc<dyn TicketSource>, AppError> {
        let token = self.token(client)?;
        let endpoint = endpoint(&client.base_url, token, client.tls_verify);
        Ok(self.crm.open(&endpoint)?)
    }
}

/// What a token is sealed for.
fn purpose(client: ClientId) -> String {
    format!("client-token:{}", client.raw())
}

pub(super) fn endpoint(base_url: &BaseUrl, token: ApiToken, tls_verify: bool) -> CrmEndpoint {
    CrmEndpoint {
        base_url: base_url.clone(),
        token,
        tls_verify,
    }
}
