//! One replica of audience-service.

use std::process::ExitCode;

use audience_service::module::AudienceService;

fn main() -> ExitCode {
    service_kit::main::<AudienceService>()
}
