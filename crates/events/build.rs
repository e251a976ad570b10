//! Generates the messages and their proto3-JSON form from `proto/`, without `protoc`.

use std::{error::Error, path::Path};

use prost::Message;

const PACKAGE: &str = ".plateia.events.v1";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("../../proto");
    let files = ["audience", "importing", "operation", "scheduling"]
        .map(|name| root.join(format!("plateia/events/v1/{name}.proto")));
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let descriptors = protox::compile(&files, [root])?;
    let encoded = descriptors.encode_to_vec();
    prost_build::Config::new()
        .compile_well_known_types()
        .extern_path(".google.protobuf", "::pbjson_types")
        .btree_map(["."])
        .compile_fds(descriptors)?;
    // A consumer of v1 must read what a newer producer of v1 adds.
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .ignore_unknown_fields()
        .btree_map(["."])
        .build(&[PACKAGE])?;
    Ok(())
}
