//! The one thread that writes.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use diesel::{SqliteConnection, connection::SimpleConnection};
use ports::{StoreError, contacts::Priority};
use tokio::sync::oneshot;

use crate::core::error;

/// How long a transaction of bulk work may hold the file before people get their turn.
const BULK_SLICE: Duration = Duration::from_millis(20);
/// After this time without work, memory that the cache holds is given back.
const IDLE: Duration = Duration::from_secs(2);

/// How far a step of work came.
pub(super) enum Step {
    /// All of it is in this transaction.
    Done,
    /// More is to come in further transactions.
    More,
}

/// Work that may take several transactions. Each call goes on until the deadline or the end.
pub(super) trait Work: Send {
    fn step(&mut self, conn: &mut SqliteConnection, deadline: Instant) -> Result<Step, StoreError>;
    /// Begins again after a transaction that was rolled back.
    fn restart(&mut self);
    /// Called once, after the commit of the last step or after a failure.
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

#[derive(Default)]
struct Queues {
    interactive: VecDeque<Box<dyn Work>>,
    bulk: VecDeque<Box<dyn Work>>,
    closed: bool,
}

impl Queues {
    fn is_empty(&self) -> bool {
        self.interactive.is_empty() && self.bulk.is_empty()
    }
}

type Shared = Arc<(Mutex<Queues>, Condvar)>;

/// The thread that writes, and the queues to it. Dropping it ends the queued work first.
pub(super) struct Writer {
    shared: Shared,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.0).closed = true;
        self.shared.1.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

fn lock(queues: &Mutex<Queues>) -> std::sync::MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub fn start(conn: SqliteConnection) -> Self {
        let shared: Shared = Arc::default();
        let queues = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("contacts-writer".to_owned())
            .spawn(move || run(conn, &queues))
            .ok();
        if thread.is_none() {
            lock(&shared.0).closed = true;
        }
        Self { shared, thread }
    }

    /// Runs work that ends with `answer`.
    pub async fn run<T: Send + 'static>(
        &self,
        priority: Priority,
        make: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Box<dyn Work>,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut queues = lock(&self.shared.0);
            if queues.closed {
                return Err(error::setup("the contacts file is closed"));
            }
            match priority {
                Priority::Interactive => queues.interactive.push_back(make(answer)),
                Priority::Bulk => queues.bulk.push_back(make(answer)),
            }
        }
        self.shared.1.notify_one();
        answered.await.map_err(error::unavailable)?
    }
}

fn run(mut conn: SqliteConnection, shared: &Shared) {
    while let Some(round) = next_round(&mut conn, shared) {
        write(&mut conn, shared, round);
    }
}

/// What goes into the next transaction: all that people wait for, else a slice of bulk work.
enum Round {
    Interactive(Vec<Box<dyn Work>>),
    Bulk(Box<dyn Work>),
}

fn next_round(conn: &mut SqliteConnection, shared: &Shared) -> Option<Round> {
    let (queues, signal) = shared.as_ref();
    let mut waiting = lock(queues);
    let mut shrunk = false;
    loop {
        if !waiting.interactive.is_empty() {
            return Some(Round::Interactive(waiting.interactive.drain(..).collect()));
        }
        if let Some(work) = waiting.bulk.pop_front() {
            return Some(Round::Bulk(work));
        }
        if waiting.closed {
            return None;
        }
        let (woken, timeout) = signal
            .wait_timeout(waiting, IDLE)
            .unwrap_or_else(PoisonError::into_inner);
        waiting = woken;
        if timeout.timed_out() && waiting.is_empty() && !shrunk {
            shrunk = true;
            drop(waiting);
            // Only memory is at stake: a failure changes nothing.
            let _ = conn.batch_execute("PRAGMA shrink_memory");
            waiting = lock(queues);
        }
    }
}

fn write(conn: &mut SqliteConnection, shared: &Shared, round: Round) {
    match round {
        Round::Interactive(all) => {
            if let Some(failed) = together(conn, all) {
                // One of them cannot be written: each for itself, so that only that one fails.
                for mut work in failed {
                    work.restart();
                    let outcome = transaction(conn, |conn| complete(conn, work.as_mut()));
                    work.finish(outcome);
                }
            }
        }
        Round::Bulk(mut work) => {
            let deadline = Instant::now() + BULK_SLICE;
            match transaction(conn, |conn| work.step(conn, deadline)) {
                Ok(Step::More) => lock(&shared.0).bulk.push_front(work),
                Ok(Step::Done) => work.finish(Ok(())),
                Err(error) => work.finish(Err(error)),
            }
        }
    }
}

/// Writes all in one transaction; gives them back, unwritten, when that fails.
fn together(
    conn: &mut SqliteConnection,
    mut all: Vec<Box<dyn Work>>,
) -> Option<Vec<Box<dyn Work>>> {
    let outcome = transaction(conn, |conn| {
        all.iter_mut().try_for_each(|w| complete(conn, w.as_mut()))
    });
    match outcome {
        Ok(()) => {
            all.into_iter().for_each(|work| work.finish(Ok(())));
            None
        }
        Err(_) => Some(all),
    }
}

fn complete(conn: &mut SqliteConnection, work: &mut dyn Work) -> Result<(), StoreError> {
    let far = Instant::now() + Duration::from_secs(3600);
    while let Step::More = work.step(conn, far)? {}
    Ok(())
}

fn transaction<T>(
    conn: &mut SqliteConnection,
    body: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.batch_execute("BEGIN IMMEDIATE")
        .map_err(error::store)?;
    let outcome = body(conn).and_then(|value| {
        conn.batch_execute("COMMIT")
            .map_err(error::store)
            .map(|()| value)
    });
    if outcome.is_err() {
        // Fails when the error ended the transaction already.
        let _ = conn.batch_execute("ROLLBACK");
    }
    outcome
}
