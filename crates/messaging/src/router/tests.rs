use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use contract_tests::bus::{at, event, memory::MemoryBus};
use domain::shared::Instant;
use ports::bus::{DeadLetters, Delivery, Outcome, Redrive};
use tokio::{sync::mpsc, task::JoinHandle};

use super::*;
use crate::{DeadLetterQueue, Handled};

const AUDIT: Subscription = Subscription::from_static("test.audit");
const TYPE: &str = "plateia.test.happened.v1";

/// A clock that stands until it is moved.
struct Hands(Mutex<Instant>);

impl Hands {
    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += TimeDelta::from_std(by).unwrap();
    }
}

impl Clock for Hands {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

/// What a handler is told to do.
#[derive(Clone, Copy)]
enum Script {
    Done,
    Retry,
    Panic,
    Hang,
}

/// Follows its script and tells of every attempt.
struct Scripted {
    script: Script,
    attempts: mpsc::UnboundedSender<u32>,
    running: AtomicU32,
    most: AtomicU32,
}

#[async_trait]
impl Handler for Scripted {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _leaves = Leaves(&self.running);
        self.most.fetch_max(running, Ordering::SeqCst);
        self.attempts.send(delivery.attempt).unwrap();
        match self.script {
            Script::Done => Outcome::Done,
            Script::Retry => Outcome::retry("busy"),
            Script::Panic => panic!("on purpose"),
            Script::Hang => std::future::pending().await,
        }
    }
}

/// Counts down however the handler ends.
struct Leaves<'a>(&'a AtomicU32);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tells how attempts ended, which is when their rows are settled.
struct Ends(mpsc::UnboundedSender<Handled>);

impl BusMetrics for Ends {
    fn published(&self, _: &str) {}
    fn publish_failed(&self, _: &str) {}
    fn outbox(&self, _: u64, _: Duration) {}
    fn handled(&self, _: &Subscription, _: &str, end: Handled, _: Duration) {
        self.0.send(end).unwrap();
    }
}

struct Rig {
    bus: Arc<MemoryBus>,
    clock: Arc<Hands>,
    handler: Arc<Scripted>,
    attempts: mpsc::UnboundedReceiver<u32>,
    ends: mpsc::UnboundedReceiver<Handled>,
    wake: Arc<dyn WakeUp>,
    stop: CancellationToken,
    router: JoinHandle<()>,
}

impl Rig {
    /// A running router whose polls never come: only wake-ups make it look.
    fn new(script: Script, settings: RouterSettings) -> Self {
        let bus = Arc::new(MemoryBus::default());
        let clock = Arc::new(Hands(Mutex::new(at(0))));
        let (attempt, attempts) = mpsc::unbounded_channel();
        let (end, ends) = mpsc::unbounded_channel();
        let handler = Arc::new(Scripted {
            script,
            attempts: attempt,
            running: AtomicU32::default(),
            most: AtomicU32::default(),
        });
        let settings = RouterSettings {
            poll: Duration::from_hours(1),
            ..settings
        };
        let router = Router::new(bus.clone(), clock.clone())
            .with_metrics(Arc::new(Ends(end)))
            .with_settings(settings)
            .on_type(AUDIT, TYPE, handler.clone());
        let (_, wake) = router.bindings().remove(0);
        let stop = CancellationToken::new();
        let router = tokio::spawn(router.run(stop.clone()));
        Self {
            bus,
            clock,
            handler,
            attempts,
            ends,
            wake,
            stop,
            router,
        }
    }

    async fn deliver(&self, id: &str) {
        self.bus
            .deliver(&AUDIT, &event(id, "a"), self.clock.now())
            .await
            .unwrap();
        self.wake.wake();
    }

    async fn end(&mut self) -> Handled {
        self.ends.recv().await.unwrap()
    }

    fn after(&self, pause: Duration) {
        self.clock.advance(pause);
        self.wake.wake();
    }

    async fn dead(&self) -> Vec<String> {
        let letters = self.bus.list(None, None, 10).await.unwrap();
        letters.into_iter().map(|letter| letter.reason).collect()
    }

    async fn stop(self) -> Arc<MemoryBus> {
        self.stop.cancel();
        self.router.await.unwrap();
        self.bus
    }
}

#[tokio::test]
async fn a_wake_up_hands_over_at_once_and_the_row_is_done() {
    let mut rig = Rig::new(Script::Done, RouterSettings::default());
    rig.deliver("1").await;
    assert_eq!(rig.end().await, Handled::Done);
    rig.deliver("1").await;
    rig.deliver("2").await;
    assert_eq!(rig.end().await, Handled::Done);
    assert_eq!(rig.attempts.recv().await, Some(1));
    assert_eq!(rig.attempts.recv().await, Some(1));
    assert!(
        rig.attempts.try_recv().is_err(),
        "the repetition of 1 was not handled"
    );
    let bus = rig.stop().await;
    assert_eq!(
        InboxStore::purge(&*bus, Instant::MAX_UTC, 10)
            .await
            .unwrap(),
        2
    );
}

#[tokio::test]
async fn retries_wait_longer_and_longer_then_the_delivery_is_buried_and_redriven() {
    let mut rig = Rig::new(Script::Retry, RouterSettings::default());
    rig.deliver("1").await;
    for (attempt, delay) in [(1, 1), (2, 10), (3, 60), (4, 600)] {
        assert_eq!(rig.attempts.recv().await, Some(attempt));
        assert_eq!(rig.end().await, Handled::Retried);
        let delay = Duration::from_secs(delay);
        rig.after(delay - Duration::from_millis(1));
        tokio::task::yield_now().await;
        assert!(
            rig.attempts.try_recv().is_err(),
            "attempt {} came early",
            attempt + 1
        );
        rig.after(Duration::from_millis(1));
    }
    assert_eq!(rig.attempts.recv().await, Some(5));
    assert_eq!(rig.end().await, Handled::Dead);
    assert_eq!(rig.dead().await, ["busy"]);

    let queue = DeadLetterQueue::new(rig.bus.clone(), rig.clock.clone(), vec![rig.wake.clone()]);
    assert_eq!(queue.list(Some(&AUDIT), None, 10).await.unwrap().len(), 1);
    assert_eq!(queue.redrive(&Redrive::All).await.unwrap(), 1);
    assert_eq!(
        rig.attempts.recv().await,
        Some(1),
        "with all attempts before it"
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_neighbours_go_on() {
    let mut rig = Rig::new(
        Script::Panic,
        RouterSettings {
            attempts: 1,
            ..Default::default()
        },
    );
    rig.deliver("1").await;
    rig.deliver("2").await;
    assert_eq!(
        (rig.end().await, rig.end().await),
        (Handled::Dead, Handled::Dead)
    );
    assert_eq!(
        rig.dead().await,
        ["the handler panicked", "the handler panicked"]
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_type_without_a_handler_and_a_crash_loop_end_as_dead_letters() {
    let mut rig = Rig::new(Script::Done, RouterSettings::default());
    let mut unknown = event("1", "a");
    unknown.event_type = "plateia.test.happened.v2".into();
    rig.bus.deliver(&AUDIT, &unknown, at(0)).await.unwrap();
    rig.wake.wake();
    assert_eq!(rig.end().await, Handled::Dead);
    assert_eq!(rig.dead().await, ["no handler for this type of event"]);

    // Five claims whose process died, from before the router saw the row.
    rig.bus
        .deliver(&AUDIT, &event("2", "a"), at(0))
        .await
        .unwrap();
    for _ in 0..5 {
        rig.bus
            .claim(&AUDIT, 1, rig.clock.now(), Duration::from_secs(1))
            .await
            .unwrap();
        rig.clock.advance(Duration::from_secs(1));
    }
    rig.wake.wake();
    assert_eq!(rig.end().await, Handled::Dead);
    assert!(rig.attempts.try_recv().is_err(), "no handler ran");
    rig.stop().await;
}

#[tokio::test]
async fn concurrency_is_bounded_and_a_slow_handler_is_dropped() {
    let settings = RouterSettings {
        concurrency: 2,
        time_limit: Duration::from_millis(20),
        ..RouterSettings::default()
    };
    let mut rig = Rig::new(Script::Hang, settings);
    for id in ["1", "2", "3", "4", "5"] {
        rig.deliver(id).await;
    }
    for _ in 0..5 {
        assert_eq!(
            rig.end().await,
            Handled::Retried,
            "all had their turn with no further wake-up"
        );
    }
    assert_eq!(rig.handler.most.load(Ordering::SeqCst), 2);
    rig.stop().await;
}

#[tokio::test]
async fn a_stop_drops_what_does_not_end_and_leaves_it_ready() {
    let settings = RouterSettings {
        grace: Duration::from_millis(1),
        ..RouterSettings::default()
    };
    let mut rig = Rig::new(Script::Hang, settings);
    rig.deliver("1").await;
    assert_eq!(rig.attempts.recv().await, Some(1));
    let bus = rig.stop().await;
    let due = at(1);
    let again = bus
        .claim(&AUDIT, 10, due, Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(
        again.len(),
        1,
        "ready after the delay, long before the lease would lapse"
    );
}

/// Tells which trace it runs in.
struct Telling(mpsc::UnboundedSender<Option<String>>);

#[async_trait]
impl Handler for Telling {
    async fn handle(&self, _: &Delivery) -> Outcome {
        self.0.send(ports::trace::current()).unwrap();
        Outcome::Done
    }
}

#[tokio::test]
async fn a_handler_runs_in_the_trace_of_its_event() {
    let bus = Arc::new(MemoryBus::default());
    let clock = Arc::new(Hands(Mutex::new(at(0))));
    let (tell, mut told) = mpsc::unbounded_channel();
    let router = Router::new(bus.clone(), clock).on_type(AUDIT, TYPE, Arc::new(Telling(tell)));
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut traced = event("traced", "a");
    traced.payload = format!(r#"{{"traceparent":"{traceparent}"}}"#).into_bytes();
    let stop = CancellationToken::new();
    bus.deliver(&AUDIT, &traced, at(0)).await.unwrap();
    let running = tokio::spawn(router.run(stop.clone()));
    assert_eq!(told.recv().await.unwrap().as_deref(), Some(traceparent));
    stop.cancel();
    running.await.unwrap();
}
