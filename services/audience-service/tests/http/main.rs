//! The HTTP faces as clients meet them, against a whole service on a port of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod audiences;
mod contacts;
mod customer_events;
mod customers;
mod deriving;
mod directory;
mod documentation;
mod face_a;
mod face_g;
mod face_l;
mod face_l_refusals;
mod files;
mod following;
mod identity;
mod membership;
mod segment_source;
mod segments;
mod service;
mod suppressions;
mod usages;
mod workspace;
