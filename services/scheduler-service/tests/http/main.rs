//! The faces over HTTP: the service in a process with a port, on SQLite.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod documentation;
mod face_s;
mod service;
mod v1;
