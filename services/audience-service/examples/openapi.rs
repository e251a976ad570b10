//! Prints the OpenAPI document: `make openapi` keeps it in `proto/openapi`.

fn main() {
    let document = audience_service::http::openapi::document();
    print!("{}", http_kit::openapi::text(&document));
}
