//! Prints the OpenAPI document: `make openapi` keeps it in `proto/openapi`.

fn main() {
    print!("{}", audience_service::http::openapi::text());
}
