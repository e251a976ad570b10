//! What every context shares: identifiers, names, instants, JSON text, and the one shape of a broken
//! rule.

mod decimal;
mod ids;
mod json;
mod members;
mod name;
mod numbers;
mod text;
mod text_enum;
mod violation;

pub use decimal::Decimal;
pub use ids::{
    AudienceId, ClientId, CommunicationId, Epoch, IdError, NotificationId, OperationId, RemovalNo,
    SuppressionId, UploadId, UserId, WorkspaceId, WriteNo,
};
pub use json::{from_json, number_text, whole_surrogates};
pub use members::{ItemError, Rejection};
pub(crate) use members::{Members, instant, merge};
pub use name::{AudienceName, NameError};
pub use numbers::exact_numbers;
pub(crate) use text::{composed, is_composed, is_dash, is_ignorable, is_trimmed, trimmed};
pub use text::{fold_key, plain_key};
pub(crate) use text_enum::{text_enum, text_serde};
pub use violation::{Violation, one_of};

/// An instant in UTC. Values that are stored or answered carry whole milliseconds.
pub type Instant = chrono::DateTime<chrono::Utc>;
