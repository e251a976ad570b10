//! The OpenAPI 3.1 document, made from the handlers.

use http_kit::{openapi, operations};
use utoipa::OpenApi;

use super::{ERRORS, face_a, face_g, face_l, v1};

#[derive(OpenApi)]
#[openapi(info(
    title = "Plateia: audiences",
    description = "Audiences of contacts: filled from requests and files, read page by page, \
                   recycled in the background, undone at once. Errors are RFC 9457 problems.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct About;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    let v1 = [v1::routes().document(), operations::routes().document()];
    let older = face_l::routes().and(face_g::routes());
    let older = older.and(face_a::routes()).document();
    openapi::of_service(About::openapi(), older, v1, ERRORS)
}
