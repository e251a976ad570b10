//! Imports from an outside CRM: its rows, its pages, and how they are walked so that none is lost.

mod budget;
mod client;
mod cursor;
mod external;
mod page;
mod report;
mod retry;
pub mod rows;
pub mod walk;

pub use budget::{Admission, BudgetKey, Pace, WINDOW};
pub use client::{ApiToken, BaseUrl, ClientError, ClientSlug, RequestsPerMinute};
pub use cursor::{Filter, MessagesRead, Selection, TicketRun, messages_due};
pub use external::{ExternalId, Fault, Fingerprint, Personal};
pub use page::{Page, Totals};
pub use report::{Counts, ImportReport};
pub use retry::{Failure, Retry, next_try};
