//! Puts the service together.

use std::net::SocketAddr;

use runtime::Lifecycle;
use service_kit::{Base, BaseError, Service};
use settings::{Settings, SettingsError};

use crate::consumers;

/// The program of one replica.
pub struct SchedulerService(Base);

impl Service for SchedulerService {
    const NAME: &'static str = "scheduler-service";
    type Error = BaseError;

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        Base::check(settings)
    }

    async fn migrate(settings: &Settings) -> Result<(), BaseError> {
        Base::migrate(settings).await
    }

    async fn start(settings: &Settings) -> Result<Self, BaseError> {
        Base::start(settings, consumers::listen).await.map(Self)
    }

    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn lifecycle(&self) -> &Lifecycle {
        self.0.lifecycle()
    }

    async fn stop(self) -> bool {
        self.0.stop().await
    }
}
