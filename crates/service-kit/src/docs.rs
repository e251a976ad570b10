//! The OpenAPI document of a process, and its browsable page, whose assets come from the binary.

use actix_web::{
    HttpResponse,
    http::{
        Method,
        header::{self, ContentType},
    },
    web::{self, Bytes, ServiceConfig},
};
use http_kit::resource;
use utoipa_swagger_ui::{Config, SwaggerUi};

const DOCUMENT: &str = "/api/v1/openapi.json";

/// Registers both.
pub(crate) fn configure(config: &mut ServiceConfig, document: Bytes) {
    let served = move || {
        let answer = HttpResponse::Ok()
            .content_type(ContentType::json())
            .body(document.clone());
        std::future::ready(answer)
    };
    config
        .service(resource(DOCUMENT, [(Method::GET, web::to(served.clone()))]))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from(DOCUMENT)))
        // The page takes every GET; what comes here has another method.
        .service(resource("/docs/{_:.*}", [(Method::GET, web::to(served))]))
        .service(resource("/", [(Method::GET, web::to(page))]))
        .service(resource("/docs", [(Method::GET, web::to(page))]));
}

/// Leads to the documentation until there is a panel.
async fn page() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}
