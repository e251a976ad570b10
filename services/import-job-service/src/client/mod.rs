//! Clients: whose CRM is imported.

mod change;
mod create;
mod credentials;
mod ensure;
mod read;
mod values;

use kernel::AppError;
use ports::StoreError;

pub use change::{ChangeClient, ClientChange};
pub use create::CreateClient;
pub use credentials::Credentials;
pub use ensure::{EnsureClient, Ensured};
pub use read::ReadClients;
pub use values::{ClientBuilder, NewClient};

fn slug_taken() -> AppError {
    AppError::conflict("slug_taken", "a client with this slug exists")
}

/// Of writing a client.
fn write_error(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict { .. } => slug_taken(),
        error => error.into(),
    }
}
