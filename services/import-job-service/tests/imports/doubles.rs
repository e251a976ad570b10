//! Stand-ins for ports that a test is not about; the benchmark of imports uses them as well.

use std::time::Duration;

use async_trait::async_trait;
use domain::importing::{BudgetKey, RequestsPerMinute};
use ports::{
    SecretVault, StoreError,
    crm::{RateBudget, Reserved},
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

impl SecretVault for Plain {
    fn seal(&self, _: &str, secret: &str) -> Vec<u8> {
        secret.as_bytes().to_vec()
    }

    fn open(&self, _: &str, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }

    fn pseudonym(&self, _: &str, text: &str) -> String {
        text.to_owned()
    }
}
