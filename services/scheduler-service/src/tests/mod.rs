//! The whole service on a database of its own, with a clock that stands, and somebody who finds recipients.

mod bindings;
mod year;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use adapter_sql::sqlite::Db;
use async_trait::async_trait;
use chrono::TimeDelta;
use contract_tests::requests::Sequence;
use domain::{
    scheduling::{Communication, Plan, Totals},
    shared::{AudienceId, CommunicationId, Instant, UserId, WorkspaceId},
    workspace::{SendingRules, TimeZone},
};
use events::{
    Envelope, IntegrationEvent,
    v1::{CommunicationDue, DispatchRequested, RecipientsResolved, ResolvedRecipient, Route},
};
use kernel::{
    Actor, EventSource, RequestId,
    directory::{Part, RecipientSource},
};
use ports::{
    Clock, IdGenerator, StoreError,
    bus::{InboxStore, OutboxQueue, Subscription},
    scheduling::Directory,
};
use sealing::Vault;

use crate::{
    communication::NewCommunication,
    use_cases::{Setup, UseCases},
};

const SOURCE: EventSource = EventSource::new("/tests");

/// Customers of any number, each with an address of its own; their zones go by their numbers.
#[derive(Default)]
pub struct People {
    pub rules: Mutex<SendingRules>,
}

/// The zone of a customer.
pub fn zone_of(id: i64) -> TimeZone {
    match id % 3 {
        0 => TimeZone::America__Sao_Paulo,
        1 => TimeZone::America__New_York,
        _ => TimeZone::Europe__Berlin,
    }
}

#[async_trait]
impl Directory for People {
    async fn unknown_customers(&self, _: &WorkspaceId, _: &[i64]) -> Result<Vec<i64>, StoreError> {
        Ok(Vec::new())
    }

    async fn has_audience(&self, _: &WorkspaceId, _: AudienceId) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn time_zone(&self, _: &WorkspaceId) -> Result<TimeZone, StoreError> {
        Ok(TimeZone::America__Sao_Paulo)
    }
}

#[async_trait]
impl RecipientSource for People {
    async fn part(&self, _: &WorkspaceId, ask: CommunicationDue) -> Result<Part, StoreError> {
        let rules = self.rules.lock().unwrap().clone();
        let recipient = |id: &i64| ResolvedRecipient {
            key: id.to_string(),
            values: BTreeMap::new(),
            routes: ask
                .channels
                .iter()
                .map(|channel| Route {
                    channel: channel.clone(),
                    // Customers from 1,000 on share one address.
                    address: Some(format!("a{}", id.min(&1_000))),
                    skipped: None,
                })
                .collect(),
            zone: Some(zone_of(*id).name().to_owned()),
        };
        Ok(Part {
            found: RecipientsResolved {
                communication_id: ask.communication_id.clone(),
                occurrence: ask.occurrence,
                part: ask.part,
                parts: ask.parts,
                recipients: ask.customers.iter().map(recipient).collect(),
                error_code: None,
                zone: "UTC".to_owned(),
                sending_rules: Some(serde_json::to_string(&rules).unwrap()),
            },
            next: None,
        })
    }
}

/// A clock that stands until it is set.
pub struct Standing(Mutex<Instant>);

impl Clock for Standing {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

/// What left, and when.
pub type Left = BTreeMap<String, Instant>;

pub struct Rig {
    pub cases: UseCases,
    pub clock: Arc<Standing>,
    pub people: Arc<People>,
    pub left: Left,
    ids: Arc<dyn IdGenerator>,
    db: Db,
    _dir: tempfile::TempDir,
}

pub fn actor() -> Actor {
    Actor {
        workspace: WorkspaceId::parse("w").unwrap(),
        user: UserId::parse("ana").unwrap(),
    }
}

impl Rig {
    pub async fn new(rules: SendingRules) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("s.db")).await.unwrap();
        db.migrate(crate::module::CONTEXTS).await.unwrap();
        let start = "2026-01-01T12:00:00Z".parse().unwrap();
        let clock = Arc::new(Standing(Mutex::new(start)));
        let people = Arc::new(People {
            rules: Mutex::new(rules),
        });
        let ids: Arc<dyn IdGenerator> = Arc::new(Sequence::default());
        let cases = cases(&db, &clock, &people, &ids);
        Self {
            cases,
            clock,
            people,
            left: Left::new(),
            ids,
            db,
            _dir: dir,
        }
    }

    /// The process ends, and another one begins: only what is stored remains.
    pub fn restart(&mut self) {
        self.cases = cases(&self.db, &self.clock, &self.people, &self.ids);
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub fn set(&self, at: Instant) {
        let mut now = self.clock.0.lock().unwrap();
        assert!(at >= *now, "the clock goes forwards");
        *now = at;
    }

    pub async fn create(&self, plan: Plan) -> CommunicationId {
        let new = NewCommunication {
            name: "n".to_owned(),
            plan,
        };
        let request = RequestId {
            write_id: self.ids.next(),
            keyed: false,
        };
        let made = self.cases.create.execute(&actor(), request, new).await;
        made.unwrap().id
    }

    pub async fn get(&self, id: CommunicationId) -> (Communication, Totals) {
        self.cases.read.get(&actor(), id).await.unwrap()
    }

    /// Takes what is due and carries events until nothing happens any more at this instant.
    pub async fn settle(&mut self) {
        loop {
            self.cases.engine.round().await.unwrap();
            if !self.carry().await {
                return;
            }
        }
    }

    /// Stands at every instant that something waits for, until this one.
    pub async fn run_until(&mut self, until: Instant) {
        loop {
            self.settle().await;
            let next = self.cases.engine.queries.next_due().await.unwrap();
            match next {
                Some(next) if next <= until => self.set(next.max(self.now())),
                _ => break,
            }
        }
        self.set(until);
        self.settle().await;
    }

    async fn carry(&mut self) -> bool {
        let (now, lease) = (self.now(), Duration::from_secs(60));
        let claims = OutboxQueue::claim(&self.db, 500, now, lease).await.unwrap();
        let any = !claims.is_empty();
        for claim in claims {
            let event = &claim.event;
            if event.event_type == CommunicationDue::TYPE {
                let asked = Envelope::<CommunicationDue>::decode(&event.payload).unwrap();
                let part = self
                    .people
                    .part(&event.workspace, asked.data)
                    .await
                    .unwrap();
                self.resolved(&event.workspace, part.found).await;
            } else if event.event_type == DispatchRequested::TYPE {
                let asked = Envelope::<DispatchRequested>::decode(&event.payload).unwrap();
                assert_eq!(asked.data.emitted_at, Some(now.into()));
                let twice = self.left.insert(asked.data.dispatch_id, now);
                assert_eq!(twice, None, "a dispatch left twice");
            }
            let sent = [event.event_id.clone()];
            self.db.mark_sent(&sent, now).await.unwrap();
        }
        any
    }

    async fn resolved(&self, workspace: &WorkspaceId, found: RecipientsResolved) {
        let now = self.now();
        let id = format!(
            "r-{}-{}-{}",
            found.communication_id, found.occurrence, found.part
        );
        let event = SOURCE.event(now, workspace, id, 1, found.clone()).unwrap();
        let subscription = Subscription::from_static(events::COMMUNICATIONS);
        self.db.deliver(&subscription, &event, now).await.unwrap();
        let lease = Duration::from_secs(60);
        let claimed = InboxStore::claim(&self.db, &subscription, 1, now, lease).await;
        let delivery = claimed.unwrap().pop().unwrap();
        let take = &self.cases.resolved;
        take.execute(workspace, found, &delivery.receipt)
            .await
            .unwrap();
    }
}

fn cases(
    db: &Db,
    clock: &Arc<Standing>,
    people: &Arc<People>,
    ids: &Arc<dyn IdGenerator>,
) -> UseCases {
    UseCases::new(Setup {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        directory: people.clone(),
        recipients: people.clone(),
        vault: Arc::new(Vault::new(&[7; 32])),
        clock: clock.clone(),
        ids: Arc::clone(ids),
    })
}

pub fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}
