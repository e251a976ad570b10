//! Prints the OpenAPI document: `make openapi` keeps it in `proto/openapi`.

fn main() {
    let document = import_job_service::http::document();
    print!("{}", http_kit::openapi::text(&document));
}
