//! Runs: importing the lists of one client's CRM, once.

mod control;
mod end;
mod events;
mod handler;
mod params;
mod read;
mod schedule;
mod start;
mod work;

pub use control::RunControl;
pub use end::EndRun;
pub use handler::ImportWorker;
pub use params::Params;
pub use read::ReadRuns;
pub use schedule::StartDueRuns;
pub use start::{RunStarter, StartRun};
pub use work::{Importer, PageFetchers, Policy};
