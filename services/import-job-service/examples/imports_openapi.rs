//! Prints the OpenAPI document: `make openapi` keeps it in `proto/openapi`.

fn main() {
    print!("{}", import_job_service::http::document());
}
