//! The client against a fake that does what an emulator cannot, and against an emulator.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

mod credentials;
mod emulator;
mod fake;
mod faults;
mod paging;
