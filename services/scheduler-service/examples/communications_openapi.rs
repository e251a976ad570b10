//! Prints the OpenAPI document: `make openapi` keeps it in `proto/openapi`.

fn main() {
    let document = scheduler_service::http::document();
    print!("{}", http_kit::openapi::text(&document));
}
