//! What a test outside this process asks of the fake, under `/_control`.

use std::{io, time::Duration};

use actix_web::{HttpResponse, web};
use futures::stream;
use serde::Deserialize;
use serde_json::json;

use crate::{Change, Endpoint, Fault, Scheduled, server::Shared};

type State = web::Data<Shared>;

pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/_control")
            .route("/changes", web::post().to(change))
            .route("/plan", web::post().to(replan))
            .route("/log", web::get().to(log))
            .route("/log", web::delete().to(clear))
            .route("/truth/{list}", web::get().to(truth)),
    );
}

async fn change(state: State, changes: web::Json<Vec<Change>>) -> HttpResponse {
    changes.iter().for_each(|change| state.change(*change));
    HttpResponse::NoContent().finish()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replan {
    #[serde(default)]
    faults: Vec<Fault>,
    #[serde(default)]
    changes: Vec<Scheduled>,
}

/// Replaces what is still to go wrong; request numbers count from now on.
async fn replan(state: State, new: web::Json<Replan>) -> HttpResponse {
    let Replan { faults, changes } = new.into_inner();
    state.replan(|plan| {
        plan.faults = faults;
        plan.changes = changes;
    });
    HttpResponse::NoContent().finish()
}

#[derive(Debug, Deserialize)]
struct Window {
    window_ms: Option<u64>,
}

/// Requests by list, and the most that came in any window of 60.5 seconds or as asked for.
async fn log(state: State, window: web::Query<Window>) -> HttpResponse {
    let log = state.log().clone();
    let window = Duration::from_millis(window.window_ms.unwrap_or(60_500));
    HttpResponse::Ok().json(json!({
        "tickets": log.count(Endpoint::Tickets),
        "messages": log.count(Endpoint::Messages),
        "contacts": log.count(Endpoint::Contacts),
        "most_in_window": log.most_in(window),
        "starts_ms": log.requests().iter().map(|r| r.at.as_millis()).collect::<Vec<_>>(),
    }))
}

async fn clear(state: State) -> HttpResponse {
    state.log().requests.clear();
    HttpResponse::NoContent().finish()
}

/// All rows as they are now, one JSON object a line; messages with `ticket` and `message`.
async fn truth(state: State, list: web::Path<Endpoint>) -> HttpResponse {
    let list = list.into_inner();
    let chunks = stream::unfold((state, Some(0)), move |(state, from)| async move {
        let (text, next) = state.world().lines(list, from?);
        Some((Ok::<_, io::Error>(web::Bytes::from(text)), (state, next)))
    });
    HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(chunks)
}
