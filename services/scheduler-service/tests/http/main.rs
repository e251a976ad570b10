//! The faces over HTTP: the service in a process with a port, on SQLite.

#![expect(clippy::unwrap_used, reason = "tests")]

mod documentation;
mod face_s;
mod service;
mod v1;
