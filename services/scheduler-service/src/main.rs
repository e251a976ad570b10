//! One replica of scheduler-service.

use std::process::ExitCode;

use scheduler_service::module::SchedulerService;

fn main() -> ExitCode {
    service_kit::main::<SchedulerService>()
}
