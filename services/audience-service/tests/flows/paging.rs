//! Pages by number beside writers: what they say once it is quiet, and in the middle of it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use audience_service::{
    AppError, contact::write::ContactItems, control::Pool, recycle::RecycleAnswer,
};
use domain::{
    contact::Document,
    shared::{AudienceId, OperationId},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    meeting,
    rig::{Rig, contacts},
};

/// Contacts in the beginning: several blocks of the index.
const CONTACTS: u64 = 1_400;
/// People who may come in later.
const KEYS: u64 = 2_400;

/// The same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn person(key: u64) -> String {
    // Not in the order of their numbers, so that whoever comes in comes in anywhere.
    format!("D{:06}", key * 7_919 % 100_003)
}

fn added(keys: impl Iterator<Item = u64>) -> ContactItems {
    let item = |key| json!({ "document": person(key), "name": "N", "phone": "11999999999" });
    ContactItems {
        items: keys.map(item).collect::<Vec<Value>>(),
        strict: false,
        require_valid_document: false,
    }
}

struct Audience {
    rig: Rig,
    id: AudienceId,
    quiet: AtomicBool,
    /// Recyclings that were asked for and not taken back, the latest last.
    removals: Mutex<Vec<OperationId>>,
}

impl Audience {
    async fn new() -> Arc<Self> {
        Self::with(CONTACTS).await
    }

    async fn with(contacts: u64) -> Arc<Self> {
        let rig = Rig::new().await;
        let id = rig.create("Base", &[]).await;
        let audience = Self {
            rig,
            id,
            quiet: AtomicBool::new(false),
            removals: Mutex::default(),
        };
        audience.add(0..contacts).await;
        Arc::new(audience)
    }

    async fn add(&self, keys: impl Iterator<Item = u64>) {
        let (rig, actor) = (&self.rig, self.rig.actor());
        let add =
            rig.app
                .contacts
                .add
                .execute(&actor, rig.request_id(), self.id, None, added(keys));
        add.await.unwrap();
    }

    async fn recycle(&self, keys: impl Iterator<Item = u64>) {
        let documents: Vec<String> = keys.map(person).collect();
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let rig = &self.rig;
        let request = Rig::recycling(&documents, false);
        let answer = rig
            .app
            .recycle
            .execute(&rig.actor(), rig.request_id(), self.id, request)
            .await;
        if let Ok(RecycleAnswer::Accepted(accepted)) = answer {
            self.removals.lock().unwrap().push(accepted.operation);
        }
    }

    async fn undo(&self) {
        let Some(last) = self.removals.lock().unwrap().last().copied() else {
            return;
        };
        let rig = &self.rig;
        if rig
            .app
            .operations
            .undo
            .execute(&rig.actor(), last)
            .await
            .is_ok()
        {
            self.removals.lock().unwrap().retain(|o| *o != last);
        }
    }

    async fn remove(&self, key: u64) {
        let document = Document::parse(&person(key)).unwrap();
        let removed = self
            .rig
            .app
            .contacts
            .remove
            .execute(&self.rig.actor(), self.id, &document)
            .await;
        if let Err(error) = removed {
            assert!(matches!(error, AppError::NotFound), "{error}");
        }
    }

    /// One random command after the other until it is to be quiet.
    async fn disturb(&self, mut random: Random) {
        while !self.quiet.load(Ordering::Relaxed) {
            let from = random.below(KEYS);
            match random.below(8) {
                0..=2 => self.add(from..from + 1 + random.below(4)).await,
                3 => self.remove(from).await,
                4 | 5 => self.recycle((0..60).map(|n| (from + n * 37) % KEYS)).await,
                _ => self.undo().await,
            }
        }
    }

    async fn work(&self) {
        while !self.quiet.load(Ordering::Relaxed) {
            self.rig
                .app
                .operations
                .work_once(Pool::Recycle)
                .await
                .unwrap();
            tokio::task::yield_now().await;
        }
    }

    async fn pages(&self, per_page: usize) -> (u64, Vec<Document>) {
        let (mut documents, mut number) = (Vec::new(), 1);
        loop {
            let app = &self.rig.app;
            let page = app
                .contacts
                .read
                .page(&self.rig.actor(), self.id, number, per_page)
                .await
                .unwrap();
            documents.extend(page.rows.into_iter().map(|c| c.document));
            if page.next.is_none() {
                return (page.total, documents);
            }
            number += 1;
        }
    }

    /// Count, walk and pages are the same.
    async fn compare(&self) -> Result<(), String> {
        let (app, actor) = (&self.rig.app, self.rig.actor());
        let walk = app
            .contacts
            .read
            .walk(&actor, self.id, None, 10_000)
            .await
            .unwrap();
        let walk: BTreeSet<Document> = walk.rows.into_iter().map(|c| c.document).collect();
        let count = app.find.visible(&actor, self.id).await.unwrap().contacts;
        let (total, pages) = self.pages(100).await;
        let seen: BTreeSet<Document> = pages.iter().cloned().collect();
        let (missing, extra) = (
            walk.difference(&seen).count(),
            seen.difference(&walk).count(),
        );
        let same =
            count == walk.len() as i64 && total == walk.len() as u64 && pages.len() == walk.len();
        if same && missing == 0 && extra == 0 {
            return Ok(());
        }
        Err(format!(
            "count {count}, walk {}, total {total}, {} in pages, {missing} missing, {extra} too many",
            walk.len(),
            pages.len()
        ))
    }
}

async fn round(seed: u64) -> Result<(), String> {
    let audience = Audience::new().await;
    let mut tasks = Vec::new();
    for n in 0..4 {
        let (audience, random) = (Arc::clone(&audience), Random(seed * 31 + n));
        tasks.push(tokio::spawn(async move { audience.disturb(random).await }));
    }
    for _ in 0..2 {
        let audience = Arc::clone(&audience);
        tasks.push(tokio::spawn(async move { audience.work().await }));
    }
    let reader = Arc::clone(&audience);
    tasks.push(tokio::spawn(async move {
        while !reader.quiet.load(Ordering::Relaxed) {
            reader.pages(100).await;
        }
    }));
    sleep(Duration::from_millis(400)).await;
    audience.quiet.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    audience.rig.work().await;
    audience.compare().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn quiet_again_pages_show_who_is_there() {
    for seed in 0..4 {
        round(seed)
            .await
            .unwrap_or_else(|error| panic!("{seed}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_undo_and_a_removal_at_once_leave_pages_right() {
    let audience = Audience::new().await;
    let mut random = Random(7);
    for round in 0..15 {
        audience.recycle((0..60).map(|n| n * 7 % CONTACTS)).await;
        audience.rig.work().await;
        audience.recycle((0..60).map(|n| n * 11 % CONTACTS)).await;
        let (early, late) = (random.below(400), random.below(400));
        let first = audience.removals.lock().unwrap()[0];
        let undo = async {
            sleep(Duration::from_micros(early)).await;
            let _ = audience
                .rig
                .app
                .operations
                .undo
                .execute(&audience.rig.actor(), first)
                .await;
        };
        let work = async {
            sleep(Duration::from_micros(late)).await;
            audience.rig.work().await;
        };
        tokio::join!(undo, work);
        audience
            .compare()
            .await
            .unwrap_or_else(|error| panic!("{round}: {error}"));
        let removals = std::mem::take(&mut *audience.removals.lock().unwrap());
        for operation in removals.iter().rev() {
            let app = &audience.rig.app;
            app.operations
                .undo
                .execute(&audience.rig.actor(), *operation)
                .await
                .unwrap();
            audience
                .compare()
                .await
                .unwrap_or_else(|error| panic!("{round}: {error}"));
        }
    }
}

/// Contacts of an audience whose last page of 1,000 is being read while pairs come in: one before all
/// others and one behind them. In every state that there was, half of what came in is on that page.
const BASE: u64 = 1_455;

async fn pairs(audience: &Audience, mut random: Random) {
    let people = |n: u64| [format!("A{n:03}"), format!("Z{n:03}")];
    while !audience.quiet.load(Ordering::Relaxed) {
        let from = random.below(200);
        let documents: Vec<String> = (from..from + 1 + random.below(3))
            .flat_map(people)
            .collect();
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let (rig, actor) = (&audience.rig, audience.rig.actor());
        let add = contacts(&documents);
        rig.app
            .contacts
            .add
            .execute(&actor, rig.request_id(), audience.id, None, add)
            .await
            .unwrap();
    }
}

/// Takes all pairs out, and brings them back, again and again.
async fn flips(audience: &Audience) {
    let documents: Vec<String> = (0..210)
        .flat_map(|n| [format!("A{n:03}"), format!("Z{n:03}")])
        .collect();
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    while !audience.quiet.load(Ordering::Relaxed) {
        let (rig, actor) = (&audience.rig, audience.rig.actor());
        let operation = rig.recycle(audience.id, &documents, false).await;
        sleep(Duration::from_millis(20)).await;
        let _ = rig.app.operations.undo.execute(&actor, operation).await;
        sleep(Duration::from_millis(20)).await;
        rig.recycle(audience.id, &documents, false).await;
    }
}

/// Reads the last page, and says what is wrong with an answer.
async fn read_last(audience: &Audience) -> Result<(), String> {
    let (rig, actor) = (&audience.rig, audience.rig.actor());
    let page = rig
        .app
        .contacts
        .read
        .page(&actor, audience.id, 2, 1_000)
        .await
        .unwrap();
    let (total, rows) = (page.total, page.rows.len() as u64);
    let came = page
        .rows
        .iter()
        .filter(|c| c.document.as_str().starts_with('Z'))
        .count() as u64;
    if rows + 1_000 == total && page.next.is_none() && BASE + 2 * came == total {
        return Ok(());
    }
    Err(format!("total {total}, {rows} rows, {came} who came in"))
}

async fn last_page_beside_writers(flipping: bool) {
    let audience = Audience::with(BASE).await;
    let mut tasks = Vec::new();
    for n in 0..3 {
        let audience = Arc::clone(&audience);
        tasks.push(tokio::spawn(
            async move { pairs(&audience, Random(n)).await },
        ));
    }
    if flipping {
        let audience = Arc::clone(&audience);
        tasks.push(tokio::spawn(async move { flips(&audience).await }));
    }
    let mut wrong = Vec::new();
    for _ in 0..150 {
        wrong.extend(read_last(&audience).await.err());
    }
    audience.quiet.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{} of 150 answers: {wrong:?}",
        wrong.len()
    );
    audience.compare().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_beside_three_writers_is_of_one_state() {
    last_page_beside_writers(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_beside_writers_removals_and_undos_is_of_one_state() {
    last_page_beside_writers(true).await;
}

/// A removal judges those whom everybody saw when it began, and so do the pages that it counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_undo_slips_in_beside_a_removal_that_has_begun() {
    let audience = Audience::new().await;
    audience.recycle(0..60).await;
    audience.rig.work().await;
    audience.compare().await.unwrap();

    let undoing = Arc::clone(&audience);
    let first = audience.removals.lock().unwrap()[0];
    let undo = meeting::until("undo.before_flip", async move {
        undoing
            .rig
            .app
            .operations
            .undo
            .execute(&undoing.rig.actor(), first)
            .await
    });
    undo.reached();
    audience.recycle(30..90).await;
    let working = Arc::clone(&audience);
    let work = meeting::until("recycle.checkpointed", async move {
        working
            .rig
            .app
            .operations
            .work_once(Pool::Recycle)
            .await
            .unwrap()
    });
    work.reached();
    let (undone, _) = tokio::join!(undo.finish(), work.finish());

    audience.compare().await.unwrap();
    let refused = matches!(
        &undone,
        Err(AppError::Conflict {
            code: "later_removal_exists",
            ..
        })
    );
    assert!(refused, "{undone:?}");
    let second = audience.removals.lock().unwrap()[1];
    for operation in [second, first] {
        audience
            .rig
            .app
            .operations
            .undo
            .execute(&audience.rig.actor(), operation)
            .await
            .unwrap();
        audience.compare().await.unwrap();
    }
}
