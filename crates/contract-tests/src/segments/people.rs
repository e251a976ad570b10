//! Customers with every value that is hard to compare.

use chrono::{SubsecRound, TimeDelta};
use domain::{
    customer::{
        Amount, Channel, Consent, ConsentStatus, Customer, CustomerEvent, CustomerId, EventName,
    },
    recycle::{Outcome, OutcomeFact, OutcomeRecord},
    segment::RfmScores,
    shared::{Instant, WorkspaceId},
};
use ports::store::{AudienceStore, Durability};
use serde_json::{Map, Value, json};

use super::{Random, now};
use crate::customers::made;

/// What buyers are scored by.
const BOUGHT: &str = "order.paid";
/// How many there are.
const PEOPLE: usize = 90;

/// A customer and their life.
pub struct Person {
    /// The customer.
    pub customer: Customer,
    /// What they did.
    pub events: Vec<CustomerEvent>,
    /// What became of contacts with them.
    pub outcomes: Vec<OutcomeFact>,
    /// Their scores, computed here.
    pub rfm: Option<RfmScores>,
}

impl Person {
    /// Whether they said no wherever they said anything.
    pub fn unsubscribed(&self) -> bool {
        let mut said = self.customer.consents.iter().peekable();
        said.peek().is_some() && said.all(|(_, c)| c.status == ConsentStatus::Denied)
    }
}

/// The people of a workspace.
pub struct People {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// They.
    pub all: Vec<Person>,
}

fn values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!("Recife"),
        json!("RECIFE"),
        json!("recife "),
        json!("Jose\u{301}"),
        json!("JOSÉ"),
        json!("stra\u{df}e"),
        json!("STRASSE"),
        json!("\u{130}stanbul"),
        json!("100%"),
        json!("a_b"),
        json!("back\\slash"),
        json!("o'brien \"x\""),
        json!("`tick`"),
        json!("TRUE"),
        json!("true"),
        json!(true),
        json!(false),
        json!(0),
        json!(7.5),
        json!("7.5"),
        json!("7,50"),
        json!("1.234,56"),
        json!("R$ 1.234,56"),
        json!(-3),
        json!("0.1000000000000000055"),
        json!(0.1),
        json!("123456789012345678901234567890"),
        json!(9_007_199_254_740_993_u64),
        json!("1e3"),
        json!("2026-02-08"),
        json!("08/02/2026"),
        json!("2026-03-10T12:30:00.250-03:00"),
        json!("2018-11-04"),
        json!("10/03/2026 12:30"),
        json!("31/02/2026"),
        json!("\u{1f600}"),
        json!("a\u{0}b".replace('\u{0}', "\u{1}")),
    ]
}

fn customer(random: &mut Random, number: usize) -> Value {
    let mut item = Map::new();
    // Some are known by an id of another system, and have no document.
    if random.percent(25) {
        item.insert("external_id".into(), json!(format!("X{number}")));
    }
    if item.is_empty() || random.percent(30) {
        let document = match random.percent(20) {
            true => format!("{:011}", 52_998_224_700 + number),
            false => format!("DOC{:03}", (number * 37) % 1_000),
        };
        item.insert("document".into(), json!(document));
    }
    let texts = values();
    for name in ["name", "email", "phone"] {
        let value = match name {
            "email" => json!(format!("Ana{}@Caf\u{e9}.com.br", number % 7)),
            "phone" => json!(format!("11 98765 43{:02}", number % 20)),
            _ => random.of(&texts).clone(),
        };
        if random.percent(80) && value.as_str().is_some_and(|text| !text.trim().is_empty()) {
            item.insert(name.into(), value);
        }
    }
    let mut attributes = Map::new();
    for name in ["city", "plan", "score", "odd \"name\" \\ %"] {
        if random.percent(75) {
            let value = random.of(&texts).clone();
            if !value.is_null() {
                attributes.insert(name.to_owned(), value);
            }
        }
    }
    item.insert("attributes".into(), Value::Object(attributes));
    let tags = ["vip", "Novo", "a\u{e7}\u{e3}o"];
    let tags: Vec<&str> = tags.into_iter().filter(|_| random.percent(30)).collect();
    item.insert("tags".into(), json!(tags));
    Value::Object(item)
}

fn consents(random: &mut Random, customer: &mut Customer) {
    for channel in [Channel::Sms, Channel::Email] {
        if random.percent(50) {
            let status = match random.percent(50) {
                true => ConsentStatus::Granted,
                false => ConsentStatus::Denied,
            };
            let consent = Consent {
                status,
                source: "api".into(),
                at: now().trunc_subsecs(3),
            };
            customer.consents.record(channel, consent);
        }
    }
}

fn events(random: &mut Random, customer: CustomerId, ids: &mut i64) -> Vec<CustomerEvent> {
    let texts = values();
    let many = random.below(6);
    let event = |_| {
        *ids += 1;
        let millis = *random.of(&[0, 1, -1, 1000, 43_200_000]);
        let days = *random.of(&[0_i64, 1, 7, 30, 31, 90, 365, 2_700]);
        let amount = *random.of(&[
            None,
            Some("0"),
            Some("10.5"),
            Some("20"),
            Some("-5.000001"),
            Some("999999999999.999999"),
            Some("-999999999999.999999"),
        ]);
        let mut properties = Map::new();
        for name in ["store", "items", "odd \"name\" \\ %"] {
            if random.percent(60) {
                properties.insert(name.to_owned(), random.of(&texts).clone());
            }
        }
        properties.insert("nested".into(), json!({"a": 1}));
        CustomerEvent {
            id: *ids,
            customer,
            key: None,
            name: EventName::parse(random.of::<&str>(&["order.paid", "visit"])).unwrap(),
            time: now() - TimeDelta::days(days) + TimeDelta::milliseconds(millis),
            properties,
            amount: amount.map(|text| text.parse::<Amount>().unwrap()),
            received_at: now(),
        }
    };
    (0..many).map(event).collect()
}

fn outcomes(random: &mut Random) -> Vec<OutcomeFact> {
    let many = random.below(3);
    let fact = |n: usize| OutcomeFact {
        channel: (*random.of(&["voice", "sms"])).to_owned(),
        outcome: *random.of(Outcome::ALL),
        occurred_at: now() - TimeDelta::days(*random.of(&[0, 5, 30]))
            + TimeDelta::milliseconds(i64::try_from(n).unwrap()),
    };
    (0..many).map(fact).collect()
}

impl People {
    /// Stores people of a workspace, and beside them those of another one.
    pub async fn add(store: &dyn AudienceStore, seed: u64) -> Self {
        let workspace = WorkspaceId::parse("ws_segments").unwrap();
        let mut random = Random::new(seed);
        let mut ids = 0;
        let people = add(store, &workspace, &mut random, &mut ids, PEOPLE).await;
        let other = WorkspaceId::parse("ws_other").unwrap();
        add(store, &other, &mut random, &mut ids, 20).await;
        Self {
            workspace,
            all: people,
        }
    }

    /// The keys of every fourth of them, sorted.
    pub fn keys_of_some(&self) -> Vec<String> {
        let mut keys: Vec<String> = self
            .all
            .iter()
            .step_by(4)
            .map(|p| p.customer.key())
            .collect();
        keys.sort();
        keys
    }
}

async fn add(
    store: &dyn AudienceStore,
    workspace: &WorkspaceId,
    random: &mut Random,
    ids: &mut i64,
    count: usize,
) -> Vec<Person> {
    let mut uow = store.begin(Durability::Full).await.unwrap();
    let first = uow
        .customers()
        .take_numbers(workspace, count)
        .await
        .unwrap();
    let mut people = Vec::new();
    for number in 0..count {
        let id = CustomerId::from_raw(first.raw() + i64::try_from(number).unwrap());
        let mut customer = made(id, customer(random, number));
        consents(random, &mut customer);
        let outcomes = match customer.document {
            Some(_) => outcomes(random),
            None => Vec::new(),
        };
        people.push(Person {
            events: events(random, id, ids),
            customer,
            outcomes,
            rfm: None,
        });
    }
    let customers: Vec<Customer> = people.iter().map(|p| p.customer.clone()).collect();
    uow.customers().add(workspace, &customers).await.unwrap();
    let events: Vec<CustomerEvent> = people.iter().flat_map(|p| p.events.clone()).collect();
    uow.customer_events().add(workspace, &events).await.unwrap();
    let mut records = Vec::new();
    for person in &people {
        for fact in &person.outcomes {
            records.push(OutcomeRecord {
                document: person.customer.document.clone().unwrap(),
                fact: fact.clone(),
                external_id: None,
                recorded_at: now(),
            });
        }
    }
    uow.outcomes().add(workspace, &records).await.unwrap();
    let (event, first) = (
        EventName::parse(BOUGHT).unwrap(),
        now() - TimeDelta::days(365),
    );
    let scored = uow
        .scores()
        .score(workspace, &event, (first, now()))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    score(&mut people, first);
    let wanted = people.iter().filter(|person| person.rfm.is_some()).count();
    assert_eq!(scored, wanted as u64);
    // People of one document share what became of contacts with it.
    let shared: Vec<Vec<OutcomeFact>> = people
        .iter()
        .map(|person| {
            let same = people.iter().filter(|other| {
                person.customer.document.is_some()
                    && other.customer.document == person.customer.document
            });
            let mut facts: Vec<OutcomeFact> = same.flat_map(|p| p.outcomes.clone()).collect();
            facts.dedup_by(|a, b| (&a.channel, a.occurred_at) == (&b.channel, b.occurred_at));
            facts
        })
        .collect();
    for (person, facts) in people.iter_mut().zip(shared) {
        person.outcomes = facts;
    }
    people
}

/// Scores buyers as the documentation says it: by how many are below, and who is equal alike.
fn score(people: &mut [Person], first: Instant) {
    let bought = |person: &Person| -> Option<(Instant, usize, i128)> {
        let within =
            |e: &&CustomerEvent| e.name.as_str() == BOUGHT && e.time >= first && e.time <= now();
        let events: Vec<&CustomerEvent> = person.events.iter().filter(within).collect();
        let last = events.iter().map(|event| event.time).max()?;
        let money = events.iter().filter_map(|event| event.amount);
        let money = money.map(|amount| i128::from(amount.millionths())).sum();
        Some((last, events.len(), money))
    };
    let all: Vec<Option<(Instant, usize, i128)>> = people.iter().map(bought).collect();
    let buyers: Vec<(Instant, usize, i128)> = all.iter().copied().flatten().collect();
    if buyers.len() < 5 {
        return;
    }
    let quintile = |below: usize| u8::try_from(below * 5 / buyers.len() + 1).unwrap();
    for (person, own) in people.iter_mut().zip(all) {
        person.rfm = own.map(|(last, many, money)| RfmScores {
            recency: quintile(buyers.iter().filter(|b| b.0 < last).count()),
            frequency: quintile(buyers.iter().filter(|b| b.1 < many).count()),
            monetary: quintile(buyers.iter().filter(|b| b.2 < money).count()),
        });
    }
}
