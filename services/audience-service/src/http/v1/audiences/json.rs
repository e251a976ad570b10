//! Audiences as V1 writes them, and what their paths have in common.

use actix_web::http::header;
use api_types::audiences::AudienceJson;
use domain::{
    audience::{Audience, COLLECTION, Tags},
    shared::AudienceName,
};
use http_kit::{Answer, Problem, etag, timestamp};

use crate::AppError;

/// An audience as it is now.
pub fn audience_json(audience: &Audience) -> AudienceJson {
    AudienceJson {
        id: audience.id.to_string(),
        name: audience.name.as_str().to_owned(),
        tags: audience.tags.as_slice().to_vec(),
        status: audience.status.as_str().into(),
        kind: audience.kind.as_str().into(),
        contacts: audience.contacts,
        source_id: audience.source.as_str().into(),
        collection: COLLECTION.into(),
        version: audience.version,
        created_by: audience.created_by.to_string(),
        created_at: timestamp(audience.created_at),
        updated_at: timestamp(audience.updated_at),
        deleted_at: audience.deleted_at.map(timestamp),
    }
}

/// An answer with the audience and its `ETag`.
pub fn answer(audience: &Audience) -> Answer {
    let tag = etag::strong(audience.version);
    Answer::ok(&audience_json(audience)).with_header(header::ETAG, tag)
}

/// A name of a request.
pub fn name(text: &str) -> Result<AudienceName, Problem> {
    AudienceName::parse(text).map_err(|e| AppError::name("/name", e).into())
}

/// Labels of a request.
pub fn tags(labels: &[String]) -> Result<Tags, Problem> {
    Tags::parse(labels).map_err(|error| {
        let pointer = match error {
            domain::audience::TagError::Invalid(index) => format!("/tags/{index}"),
            domain::audience::TagError::TooMany => "/tags".to_owned(),
        };
        AppError::invalid(pointer, "invalid_tags", error.to_string()).into()
    })
}
