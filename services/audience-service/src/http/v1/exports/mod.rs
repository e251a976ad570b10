//! Files to download: the contacts of an audience, the rejected rows of an operation.

mod contacts;
mod rejected;

pub use contacts::__path_contacts_csv;
pub use rejected::__path_rejected_rows;

use actix_web::web;

use crate::http::error::wrong_method;

/// Registers the paths.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    let contacts = resource("/audiences/{id}/contacts.csv");
    let rejected = resource("/operations/{id}/rejected");
    config
        .service(contacts.route(web::get().to(contacts::contacts_csv)))
        .service(rejected.route(web::get().to(rejected::rejected_rows)));
}

/// Value of `Content-Disposition` for a file of this name, which has no special characters.
fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}
