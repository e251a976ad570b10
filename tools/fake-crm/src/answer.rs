//! Bodies: pages in every envelope, and what is none.

use std::{io, time::Duration};

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::Bytes,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{Envelope, Misbehaviour, Plan, RetryAfter, Tells, server::http_date, world::Asked};

/// In a page that is made: where something comes in that `Value` cannot hold.
const MARK: &str = "\u{f8ff}";
const JSON: &str = "application/json; charset=utf-8";

/// A page in the envelope of the plan.
pub fn page(plan: &Plan, rows: Vec<Value>, count: u64, asked: &Asked) -> Value {
    let member = match plan.envelope {
        Envelope::Bare => return Value::Array(rows),
        Envelope::Data => "data",
        Envelope::Contacts => "contacts",
        Envelope::Messages => "messages",
    };
    let pages = count.div_ceil(asked.limit);
    let mut body = json!({ member: rows });
    let (name, totals) = match plan.tells {
        Tells::Nothing => return body,
        Tells::MetaTotals => (
            "meta",
            json!({"totalPages": pages, "total": count, "page": asked.page}),
        ),
        Tells::MetaTotalPages => ("meta", json!({"totalPages": pages})),
        Tells::MetaLastPage => ("meta", json!({"last_page": pages.max(1)})),
        Tells::PaginationTotalPages => ("pagination", json!({"total_pages": pages})),
        Tells::HasMore => ("hasMore", json!(asked.page < pages)),
    };
    if let Value::Object(members) = &mut body {
        members.insert(name.to_owned(), totals);
    }
    body
}

/// Cuts the text of a row in the middle of an emoji.
pub fn cut_text(row: &mut Value) {
    let places = ["/name", "/body", "/contact/name"];
    let place = places
        .into_iter()
        .find(|place| row.pointer(place).is_some());
    if let Some(Value::String(text)) = place.and_then(|place| row.pointer_mut(place)) {
        text.push_str(MARK);
    }
}

/// Gives a row a number that no type holds.
pub fn mark_number(row: &mut Value) {
    if let Value::Object(members) = row {
        members.insert("score".to_owned(), MARK.into());
    }
}

/// A good answer.
pub fn good(body: &Value) -> HttpResponse {
    HttpResponse::Ok().content_type(JSON).body(body.to_string())
}

/// 429 or another status, with its `Retry-After`.
pub fn status(status: u16, retry_after: RetryAfter, now_ms: i64) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    match retry_after {
        RetryAfter::Absent => {}
        RetryAfter::Seconds(seconds) => {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        RetryAfter::Date(seconds) => {
            let ahead = i64::try_from(seconds).unwrap_or(0) * 1_000;
            answer.insert_header((header::RETRY_AFTER, http_date(now_ms + ahead)));
        }
    }
    answer.content_type(JSON).body(r#"{"error":"refused"}"#)
}

/// The page, delivered badly, or something else in its place.
pub fn bad(misbehaviour: &Misbehaviour, page: &Value, now_ms: i64) -> HttpResponse {
    let mut ok = HttpResponse::Ok();
    ok.content_type(JSON);
    let whole = page.to_string();
    let half = || Bytes::copy_from_slice(whole.as_bytes().split_at(whole.len() / 2).0);
    let length = whole.len() as u64;
    match misbehaviour {
        Misbehaviour::Status {
            status: code,
            retry_after,
        } => status(*code, *retry_after, now_ms),
        Misbehaviour::Truncated => ok.body(half()),
        Misbehaviour::Html => HttpResponse::Ok()
            .content_type("text/html")
            .body("<!doctype html><title>Manutenção</title><h1>Voltamos já</h1>"),
        Misbehaviour::ErrorBody => ok.body(r#"{"error":"internal"}"#),
        Misbehaviour::UnknownEnvelope => ok.body(json!({"resultado": page}).to_string()),
        Misbehaviour::Slow { ms } => {
            let pause = Duration::from_millis(*ms);
            let bytes: Vec<Bytes> = whole
                .as_bytes()
                .chunks(16)
                .map(Bytes::copy_from_slice)
                .collect();
            ok.no_chunking(length)
                .streaming(stream::iter(bytes).then(move |bytes| async move {
                    actix_web::rt::time::sleep(pause).await;
                    Ok::<_, io::Error>(bytes)
                }))
        }
        Misbehaviour::Cut => {
            let pieces = [
                Ok(half()),
                Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
            ];
            let pause = Duration::from_millis(10);
            ok.no_chunking(length)
                .streaming(stream::iter(pieces).then(move |piece| async move {
                    // The half leaves before the end comes.
                    if piece.is_err() {
                        actix_web::rt::time::sleep(pause).await;
                    }
                    piece
                }))
        }
        Misbehaviour::Silent => ok
            .no_chunking(length)
            .streaming(stream::pending::<io::Result<Bytes>>()),
        Misbehaviour::Redirect { to } => HttpResponse::Found()
            .insert_header((header::LOCATION, to.as_str()))
            .finish(),
        Misbehaviour::Huge { bytes } => {
            let piece = Bytes::from(vec![b' '; 65_536]);
            let pieces = usize::try_from(bytes.div_ceil(65_536)).unwrap_or(usize::MAX);
            ok.streaming(stream::repeat(piece).take(pieces).map(Ok::<_, io::Error>))
        }
        Misbehaviour::HalfEmoji { .. } => ok.body(whole.replace(MARK, r"\ud83d")),
        Misbehaviour::NumberBeyond { .. } => {
            ok.body(whole.replace(&format!("\"{MARK}\""), "1e999"))
        }
        Misbehaviour::SamePage | Misbehaviour::Endless | Misbehaviour::Short { .. } => good(page),
    }
}
