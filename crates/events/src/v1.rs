//! Messages of `plateia.events.v1`. Their documentation is in the `.proto` files.

#![expect(clippy::allow_attributes, clippy::too_many_lines, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/plateia.events.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/plateia.events.v1.serde.rs"));
