//! Stand-ins for ports that a test is not about; the benchmark of imports uses them as well.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    importing::{ApiToken, BudgetKey, RequestsPerMinute},
    shared::ClientId,
};
use ports::{
    StoreError,
    crm::{RateBudget, Reserved},
    importing::TokenVault,
};

/// A budget without a limit.
pub struct Unlimited;

#[async_trait]
impl RateBudget for Unlimited {
    async fn reserve(
        &self,
        _: &BudgetKey,
        _: RequestsPerMinute,
        wanted: u32,
    ) -> Result<Reserved, StoreError> {
        Ok(Reserved::Granted(wanted))
    }

    async fn pause(&self, _: &BudgetKey, time: Duration) -> Result<(), StoreError> {
        tokio::time::sleep(time).await;
        Ok(())
    }
}

/// Keeps tokens as they are: what seals them is tested where it is.
pub struct Plain;

impl TokenVault for Plain {
    fn seal(&self, _: ClientId, token: &ApiToken) -> Vec<u8> {
        token.reveal().as_bytes().to_vec()
    }

    fn open(&self, _: ClientId, sealed: &[u8]) -> Option<ApiToken> {
        ApiToken::parse(std::str::from_utf8(sealed).ok()?).ok()
    }
}
