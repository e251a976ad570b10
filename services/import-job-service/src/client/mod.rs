//! Clients: whose CRM is imported.

mod change;
mod create;
mod credentials;
mod ensure;
mod read;
mod values;

use kernel::AppError;
use ports::{StoreError, importing::ClientId};

pub use change::{ChangeClient, ClientChange};
pub use create::CreateClient;
pub use credentials::Credentials;
pub use ensure::{EnsureClient, Ensured};
pub use read::ReadClients;
pub use values::{ClientBuilder, NewClient};

/// How the id of a client is written.
pub fn client_id(client: ClientId) -> String {
    format!("cli_{}", client.0)
}

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
