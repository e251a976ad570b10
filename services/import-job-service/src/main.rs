//! One replica of import-job-service.

use std::process::ExitCode;

use import_job_service::module::ImportJobService;

fn main() -> ExitCode {
    service_kit::main::<ImportJobService>()
}
