//! Use cases of audience-service. They know the domain and the ports, nothing else.

pub mod audience;
mod compose;
pub mod contact;
pub mod control;
pub mod creation;
pub mod customer;
pub mod dead_letter;
mod events;
mod housekeeping;
pub mod notification;
pub mod operation;
pub mod outcome;
pub mod recycle;
pub mod removal;
pub mod upload;

pub use compose::{Contacts, Customers, Ports, StepSizes, Uploads, UseCases};
pub use kernel::{Actor, AppError, RequestId, Topic, Wake};

/// Result of a use case.
pub type AppResult<T> = Result<T, AppError>;
