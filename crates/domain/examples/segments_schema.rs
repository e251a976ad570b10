//! Prints the JSON Schema of conditions: `make openapi` keeps it in `proto/segments`.

fn main() {
    let schema = domain::segment::json_schema();
    println!("{schema:#}");
}
