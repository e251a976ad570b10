//! Lists of all audiences of a workspace, streamed: memory does not grow with their number.

use actix_web::{HttpResponse, http::header, web::Bytes};
use domain::audience::Audience;
use futures::stream;
use ports::store::{AudienceFilter, AudiencePage, AudiencePosition, AudienceSort};

use super::Caller;
use crate::{AppResult, audience::ListAudiences};

/// Audiences read at a time.
const STEP: i64 = 500;

/// Some of the audiences, and whether there are more.
pub type Part = (Vec<Audience>, bool);

/// How the audiences are written, one after the other with commas between.
pub struct Frame {
    /// What comes before them.
    pub open: String,
    /// One of them.
    pub row: fn(&mut Vec<u8>, &Audience),
    /// What comes after them, by their number.
    pub close: fn(usize) -> String,
}

/// The audiences of a list, in parts.
pub struct AllAudiences {
    /// Who asks.
    pub caller: Caller,
    /// Which.
    pub filter: AudienceFilter,
    /// In which order.
    pub sort: AudienceSort,
}

impl AllAudiences {
    /// The first part, which is read before the status is sent, so that a failure can still be told.
    ///
    /// # Errors
    /// Store errors.
    pub async fn first(&self) -> AppResult<Part> {
        self.part(None).await
    }

    async fn part(&self, after: Option<&Audience>) -> AppResult<Part> {
        let list = ListAudiences {
            filter: self.filter.clone(),
            page: AudiencePage {
                sort: self.sort,
                after: after.map(AudiencePosition::from),
                limit: STEP,
            },
        };
        self.caller.app.find.list(&self.caller.actor, list).await
    }

    /// The answer, which begins with the first part.
    pub fn streamed(self, first: Part, frame: Frame) -> HttpResponse {
        let Frame { open, row, close } = frame;
        let begin = (self, Some(first), open.into_bytes(), 0);
        let parts = stream::try_unfold(begin, move |(all, part, mut text, mut sent)| async move {
            let Some((audiences, more)) = part else {
                return Ok(None);
            };
            for audience in &audiences {
                if sent > 0 {
                    text.push(b',');
                }
                row(&mut text, audience);
                sent += 1;
            }
            let next = if more {
                Some(all.part(audiences.last()).await?)
            } else {
                text.extend(close(sent).bytes());
                None
            };
            AppResult::Ok(Some((Bytes::from(text), (all, next, Vec::new(), sent))))
        });
        HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .streaming(parts)
    }
}

/// Appends JSON.
pub fn append(text: &mut Vec<u8>, row: &impl serde::Serialize) {
    // Strings and numbers only: writing them to memory cannot fail.
    let _ = serde_json::to_writer(text, row);
}
