//! The OpenAPI 3.1 document, made from the handlers.

use http_kit::openapi::Shared;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{face_j, v1};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plateia: imports",
        description = "Tickets, messages and contacts from outside CRMs: clients, runs, and what was \
                       imported. Errors of V1 are RFC 9457 problems.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    security(("key" = [])),
    modifiers(&Security, &Shared),
    nest((path = "/api/v1", api = http_kit::operations::Paths)),
    paths(
        face_j::import_all,
        face_j::import_one,
        face_j::sync,
        face_j::job,
        v1::clients::create,
        v1::clients::ensure,
        v1::clients::list,
        v1::clients::get,
        v1::clients::change,
        v1::clients::deactivate,
        v1::imports::start,
        v1::imports::list,
        v1::imports::get,
        v1::imports::cancel,
        v1::imports::retry,
        v1::rows::tickets,
        v1::rows::messages,
    )
)]
struct ApiDoc;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key of the workspace."))
            .build();
        let admin = ApiKey::Header(ApiKeyValue::new("x-admin-token"));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(key));
        components.add_security_scheme("admin", SecurityScheme::ApiKey(admin));
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}
