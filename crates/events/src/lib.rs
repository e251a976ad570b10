//! The events that leave Plateia: messages generated from `proto/`, in a CloudEvents 1.0 envelope.

#![deny(missing_docs)]

mod catalog;
mod envelope;
pub mod v1;

pub use catalog::{
    COMMUNICATIONS, CUSTOMERS, IntegrationEvent, MESSAGES, NOTIFICATIONS, RECIPIENTS, RECYCLINGS,
    REQUIRED_SUBSCRIBERS, SENDERS, TYPES, USAGES, route, routed_by, routing_key,
};
pub use envelope::{Attributes, DecodeError, Envelope, traceparent};
