//! Pages deep in a large audience.

use std::time::Instant;

use anyhow::ensure;
use api_types::contacts::ContactsJson;

use crate::{
    Setup,
    data::{self, Random},
    http::{Client, encode},
    jobs::{self, connect},
    table::{Line, Target, ms, quantile},
};

/// Pages of each kind.
const TIMES: usize = 200;
/// Contacts of a full page.
const FULL: usize = 100;

/// Pages deep in a large audience of which a fifth was removed, against its first pages.
pub fn deep(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let rows = setup.scaled(setup.either(5_000_000, 10_000_000), 1_000);
    let server = setup.start("deep")?;
    let file = jobs::csv(0..rows);
    let mut client = connect(&server)?;
    let upload = jobs::upload(&mut client, &file)?;
    drop(file);
    let audience = jobs::create(&mut client, "bench", &upload)?;
    let removed = jobs::documents((0..rows / 5).map(|n| n * 5).map(data::document));
    let upload = jobs::upload(&mut client, &removed)?;
    jobs::recycle(&mut client, &audience, &jobs::by_upload(upload))?;
    let pages = rows / 5 * 4 / FULL as u64;
    let (from, to) = (pages * 35 / 40, pages);
    let near = 200.min(pages);
    let mut random = Random::new(11);
    let (mut first, mut deep) = (Vec::new(), Vec::new());
    // The first answer counts the whole audience once; it is none of the 200.
    timed(&mut client, &audience, 1)?;
    for _ in 0..TIMES {
        first.push(timed(&mut client, &audience, random.below(near) + 1)?);
        let page = from + random.below(to - from) + 1;
        deep.push(timed(&mut client, &audience, page)?);
    }
    let line = |name: &str, share: f64| Line {
        name: format!("deep pages over first pages, {name}"),
        ours: format!(
            "{TIMES} of pages {}..{to}, {rows} contacts less a fifth: {:.2} ms",
            from + 1,
            quantile(&deep, share)
        ),
        measure: format!(
            "{TIMES} of pages 1..{near}, in turn: {:.2} ms",
            quantile(&first, share)
        ),
        value: quantile(&deep, share) / quantile(&first, share),
        target: Target::AtMost(1.5),
    };
    Ok(vec![line("median", 0.5), line("p99", 0.99)])
}

fn timed(client: &mut Client, audience: &str, page: u64) -> anyhow::Result<f64> {
    let path = format!("/api/v1/audiences/{audience}/contacts?page={page}&per_page={FULL}");
    let request = encode("GET", &path, "text/plain", b"");
    let started = Instant::now();
    let answer = client.send(&request)?;
    let taken = ms(started.elapsed());
    let contacts = answer.json::<ContactsJson>()?.data.len();
    ensure!(contacts == FULL, "page {page} holds {contacts}");
    Ok(taken)
}
