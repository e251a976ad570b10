//! The OpenAPI 3.1 document, made from the handlers.

use http_kit::{openapi, operations};
use utoipa::{
    OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

use super::{face_j, v1};

#[derive(OpenApi)]
#[openapi(info(
    title = "Plateia: imports",
    description = "Tickets, messages and contacts from outside CRMs: clients, runs, and what was \
                   imported. Errors of V1 are RFC 9457 problems.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct About;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    let v1 = [v1::routes().document(), operations::routes().document()];
    let mut document = openapi::of_service(
        About::openapi(),
        face_j::routes().document(),
        v1,
        &[face_j::ERRORS],
    );
    let admin = ApiKey::Header(ApiKeyValue::new(face_j::HEADER));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("admin", SecurityScheme::ApiKey(admin));
    document
}
