//! The OpenAPI 3.1 document, made from the handlers.

use http_kit::openapi::Shared;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{face_l, v1};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plateia: audiences",
        description = "Audiences of contacts: filled from requests and files, read page by page, \
                       recycled in the background, undone at once. Errors are RFC 9457 problems.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    security(("key" = [])),
    modifiers(&Security, &Shared),
    nest(
        (path = "/api/v1", api = V1),
        (path = "/api/v1", api = http_kit::operations::Paths),
    ),
    paths(
        face_l::all,
        face_l::contents,
        face_l::create,
        face_l::insert,
        face_l::delete,
        face_l::drop_list,
        face_l::restore,
    )
)]
struct ApiDoc;

#[derive(OpenApi)]
#[openapi(paths(
    v1::audiences::create,
    v1::audiences::list,
    v1::audiences::read,
    v1::audiences::change,
    v1::audiences::drop_audience,
    v1::audiences::restore,
    v1::audiences::duplicate,
    v1::audiences::clear,
    v1::contacts::add,
    v1::contacts::list,
    v1::contacts::lookup,
    v1::contacts::read,
    v1::contacts::remove,
    v1::recycle::recycle,
    v1::notifications::list,
    v1::notifications::unread_count,
    v1::notifications::read,
    v1::notifications::read_all,
    v1::notifications::follow,
    v1::uploads::receive,
    v1::uploads::read,
    v1::uploads::into_audience,
    v1::uploads::resubmit,
    v1::exports::contacts_csv,
    v1::exports::rejected_rows,
    v1::exports::unreadable_rows,
    v1::outcomes::record,
    v1::customers::upsert,
    v1::customers::list,
    v1::customers::look_up,
    v1::customers::count,
    v1::customers::tags,
    v1::customers::read,
    v1::customers::change,
    v1::customers::replace_tags,
    v1::customers::record_consent,
    v1::customers::record_events,
    v1::customers::list_events,
    v1::bus::dead::list,
    v1::bus::dead::redrive,
))]
struct V1;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key of the workspace."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(key));
    }
}
