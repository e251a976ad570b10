//! audience-service: audiences, their contacts, recycling, uploads, operations and notifications.
//!
//! Each capability is a folder of use cases, which know no adapter, framework or broker; `use_cases` puts
//! them on their ports. `http`, `consumers` and `workers` translate into them; `module` alone names concrete
//! adapters.

pub mod audience;
pub mod consumers;
pub mod contact;
pub mod control;
pub mod creation;
pub mod customer;
pub mod dead_letter;
pub mod derive;
mod events;
pub mod group;
mod housekeeping;
pub mod http;
mod live;
pub mod module;
pub mod notification;
pub mod operation;
pub mod outcome;
pub mod recipient;
pub mod recycle;
pub mod removal;
pub mod score;
pub mod segment;
pub mod segment_source;
pub mod suppression;
pub mod upload;
mod use_cases;
pub mod workers;
pub mod workspace;

pub use kernel::{Actor, AppError, RequestId, Topic, Wake};
pub use use_cases::{Contacts, Customers, Ports, StepSizes, Uploads, UseCases};

/// Result of a use case.
pub type AppResult<T> = Result<T, AppError>;
