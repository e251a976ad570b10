//! One replica of plateia-sender.

use std::process::ExitCode;

use plateia_sender::module::PlateiaSender;

fn main() -> ExitCode {
    service_kit::main::<PlateiaSender>()
}
