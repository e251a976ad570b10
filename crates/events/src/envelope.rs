//! The `CloudEvents` 1.0 envelope in structured JSON mode, with proto3-JSON data.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::IntegrationEvent;

const SPEC_VERSION: &str = "1.0";
const DATA_CONTENT_TYPE: &str = "application/json";

/// Why bytes are not the event they should be. Never repeats their content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not an envelope, or its data are not the type's.
    #[error("malformed event at line {line}, column {column}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Another version of `CloudEvents`, or another encoding of the data.
    #[error("the envelope has an unsupported {0}")]
    Unsupported(&'static str),
    /// Another type than the one asked for.
    #[error("the event is not of type {expected}")]
    WrongType {
        /// The type asked for.
        expected: &'static str,
    },
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// What an envelope says about its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// Identifies the event for ever.
    pub id: String,
    /// Who produced it, such as `/plateia/audience-service`.
    pub source: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Owner.
    pub workspace: String,
    /// Version of the subject after the change, by which consumers ignore what is older.
    pub version: i64,
    /// W3C trace context of the change, if it was traced.
    pub traceparent: Option<String>,
}

/// An event with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope<E> {
    /// What is said about the event.
    pub attributes: Attributes,
    /// The event.
    pub data: E,
}

/// Member names are `CloudEvents`': lower-case letters and digits only. The version is a string
/// because `CloudEvents` integers have 32 bits.
#[derive(Serialize, Deserialize)]
struct Wire<T, D> {
    specversion: T,
    id: String,
    source: String,
    r#type: T,
    subject: String,
    time: DateTime<Utc>,
    datacontenttype: T,
    workspace: String,
    aggregateversion: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    data: D,
}

impl<E: IntegrationEvent> Envelope<E> {
    /// Puts an event into its envelope.
    pub const fn new(attributes: Attributes, data: E) -> Self {
        Self { attributes, data }
    }

    /// Media type of [`encode`](Self::encode)'s result.
    pub const CONTENT_TYPE: &'static str = "application/cloudevents+json";

    /// Encodes in structured JSON mode.
    ///
    /// # Errors
    /// When the data cannot be written as JSON, such as a timestamp outside the calendar.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let Attributes {
            id,
            source,
            time,
            workspace,
            version,
            traceparent,
        } = self.attributes.clone();
        serde_json::to_vec(&Wire {
            specversion: SPEC_VERSION,
            id,
            source,
            r#type: E::TYPE,
            subject: self.data.subject().to_owned(),
            time,
            datacontenttype: DATA_CONTENT_TYPE,
            workspace,
            aggregateversion: version.to_string(),
            traceparent,
            data: &self.data,
        })
    }

    /// Decodes an event of this type; members it does not know are ignored.
    ///
    /// # Errors
    /// When the bytes are not such an event.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wire: Wire<String, &serde_json::value::RawValue> = serde_json::from_slice(bytes)?;
        if wire.specversion != SPEC_VERSION {
            return Err(DecodeError::Unsupported("specversion"));
        }
        if wire.datacontenttype != DATA_CONTENT_TYPE {
            return Err(DecodeError::Unsupported("datacontenttype"));
        }
        if wire.r#type != E::TYPE {
            return Err(DecodeError::WrongType { expected: E::TYPE });
        }
        let Ok(version) = wire.aggregateversion.parse() else {
            return Err(DecodeError::Unsupported("aggregateversion"));
        };
        let attributes = Attributes {
            id: wire.id,
            source: wire.source,
            time: wire.time,
            workspace: wire.workspace,
            version,
            traceparent: wire.traceparent,
        };
        Ok(Self {
            attributes,
            data: serde_json::from_str(wire.data.get())?,
        })
    }
}

/// The trace context of an encoded event of any type, if it has one.
pub fn traceparent(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Traced {
        traceparent: Option<String>,
    }
    let traced: Option<Traced> = serde_json::from_slice(bytes).ok();
    traced?.traceparent
}
