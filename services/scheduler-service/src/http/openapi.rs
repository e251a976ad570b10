//! The OpenAPI 3.1 document, made from the handlers.

use http_kit::openapi;
use utoipa::OpenApi;

use super::{face_s, v1};

#[derive(OpenApi)]
#[openapi(info(
    title = "Plateia: communications",
    description = "What is sent to whom, when, and what became of it. Errors are RFC 9457 problems.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct About;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    let v1 = [v1::routes().document()];
    openapi::of_service(About::openapi(), face_s::routes().document(), v1, &[])
}
