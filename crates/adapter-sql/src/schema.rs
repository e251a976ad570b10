//! The tables as both databases have them, by context. Written by hand; a test compares them with the
//! migrations.

#[path = "audience/schema.rs"]
pub(crate) mod audience;
#[path = "customer/schema.rs"]
pub(crate) mod customer;
#[path = "messaging/schema.rs"]
pub(crate) mod messaging;
#[path = "operations/schema.rs"]
pub(crate) mod operations;
