//! What a user does with audiences, over HTTP, with the same assertions for every way to run Plateia:
//! one process, or replicas that share their stores. Each request goes to the next replica, so that
//! nothing here holds because one process remembers it.

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

mod client;
mod customers;
mod lists;
mod removals;
mod uploads;

pub use client::Service;
pub use removals::told_on_a_stream as hear_of_a_removal;

/// All of it, one after the other, each part in audiences of its own.
pub fn play(service: &Service) {
    lists::face_l(service);
    lists::repeated_requests(service);
    lists::two_writers(service);
    lists::metadata(service);
    uploads::into_a_new_audience(service);
    uploads::into_an_existing_audience(service);
    removals::recycled_and_undone(service);
    removals::into_a_new_round(service);
    removals::cleared_and_brought_back(service);
    removals::told_on_a_stream(service);
    customers::registered_and_followed(service);
}
