//! Files to download: the contacts of an audience, the rejected rows of an operation.

mod contacts;
mod rejected;
mod rows_csv;

pub use contacts::__path_contacts_csv;
pub use rejected::{__path_rejected_rows, __path_unreadable_rows, unreadable_path};

use actix_web::{http::Method, web};

use http_kit::resource;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/audiences/{id}/contacts.csv",
            [(Method::GET, web::to(contacts::contacts_csv))],
        ))
        .service(resource(
            "/operations/{id}/rejected",
            [(Method::GET, web::to(rejected::rejected_rows))],
        ))
        .service(resource(
            "/uploads/{id}/unreadable",
            [(Method::GET, web::to(rejected::unreadable_rows))],
        ));
}

/// Value of `Content-Disposition` for a file of this name, which has no special characters.
fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}
