//! Customers, who are people of the sample's file, and what they did.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Kind, Sample, document, people::Flaws, people::Person, rng::SplitMix64};

/// Customers of the demonstration.
pub const CUSTOMERS: usize = 20_000;
/// What they did.
pub const EVENTS: u64 = 200_000;
/// Over how many days before the present: events are kept two years.
const DAYS: u64 = 729;
const DAY: u64 = 86_400;

// Streams of random numbers that have nothing to do with those of the file.
const OF_CUSTOMERS: u64 = 0x0C05;
const OF_LEAVING: u64 = 0x1EAF;
const OF_EVENTS: u64 = 0xE7E7;

/// Customers by seed. They and their events are functions of the seed, a number, and the present.
pub struct Customers {
    sample: Sample,
    /// The row of each in the file.
    rows: Vec<u64>,
    until: DateTime<Utc>,
}

impl Customers {
    /// So many customers, as of `until`.
    pub fn new(seed: u64, count: usize, until: DateTime<Utc>) -> Self {
        let rows = (0..).filter(|row| Sample::kind(*row) == Kind::Cpf);
        Self {
            sample: Sample::new(seed),
            rows: rows.take(count).collect(),
            until,
        }
    }

    /// All customers, as `POST /api/v1/customers` takes them.
    pub fn all(&self) -> impl Iterator<Item = Value> {
        self.rows.iter().map(|row| self.customer(*row))
    }

    fn customer(&self, row: u64) -> Value {
        let fine = Flaws {
            phone: false,
            email: false,
        };
        let (document, person) = self.sample.person(row, &fine);
        let rng = &mut SplitMix64::new(self.sample.seed ^ OF_CUSTOMERS, row);
        let mut customer = json!({
            "document": document,
            "name": person.name,
            "phone": person.phone,
            "cidade": person.city,
            "uf": person.state,
            "plano": person.plan,
            "cliente_desde": person.since,
            "faturas_em_aberto": person.open_invoices,
            "tags": tags(rng, &person),
            "consents": self.consents(rng),
        });
        if let (false, Some(members)) = (person.email.is_empty(), customer.as_object_mut()) {
            members.insert("email".to_owned(), person.email.into());
        }
        customer
    }

    /// What some said of some channels.
    fn consents(&self, rng: &mut SplitMix64) -> Map<String, Value> {
        let mut consents = Map::new();
        for (channel, granted, denied) in [("email", 40, 8), ("whatsapp", 35, 6), ("sms", 10, 4)] {
            let said = rng.below(100);
            let days = rng.below(DAYS);
            let status = match said {
                said if said < granted => "granted",
                said if said < granted + denied => "denied",
                _ => continue,
            };
            let consent = json!({"status": status, "source": "site", "at": self.ago(days * DAY)});
            consents.insert(channel.to_owned(), consent);
        }
        consents
    }

    /// What happened as number `number`, as `POST /api/v1/events` takes it. Few customers do much and many
    /// little; one in three has left some time ago.
    pub fn event(&self, number: u64) -> Value {
        let rng = &mut SplitMix64::new(self.sample.seed ^ OF_EVENTS, number);
        let row = self.somebody(rng);
        let leaving = &mut SplitMix64::new(self.sample.seed ^ OF_LEAVING, row);
        let left = match leaving.below(3) {
            0 => (30 + leaving.below(600)) * DAY,
            _ => 0,
        };
        let time = self.ago(left + rng.below(DAYS * DAY - left));
        let (name, properties, cents) = happening(rng);
        let mut event = json!({
            "id": format!("demo-{number}"),
            "document": document::cpf(self.sample.seed, row),
            "time": time,
            "name": name,
            "properties": properties,
        });
        if let (Some(cents), Some(members)) = (cents, event.as_object_mut()) {
            let amount = format!("{}.{:02}", cents / 100, cents % 100);
            members.insert("amount".to_owned(), amount.into());
        }
        event
    }

    fn somebody(&self, rng: &mut SplitMix64) -> u64 {
        let count = self.rows.len() as u64;
        let range = rng.below(count) + 1;
        // Coprime with the number of customers, so that the busy ones are not the first ones.
        let place = rng.below(range) * 7_919 % count;
        let place = usize::try_from(place).unwrap_or_default();
        self.rows.get(place).copied().unwrap_or_default()
    }

    fn ago(&self, seconds: u64) -> String {
        let seconds = i64::try_from(seconds).unwrap_or_default();
        let at = self.until - TimeDelta::seconds(seconds);
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

fn tags(rng: &mut SplitMix64, person: &Person) -> Vec<&'static str> {
    let mut tags = Vec::new();
    if rng.below(20) == 0 {
        tags.push("vip");
    }
    if rng.below(4) == 0 {
        tags.push("newsletter");
    }
    if person.open_invoices > 2 {
        tags.push("inadimplente");
    }
    tags
}

/// Name, properties, and the amount in cents where there is one.
fn happening(rng: &mut SplitMix64) -> (&'static str, Value, Option<u64>) {
    match rng.below(100) {
        0..70 => {
            let pages = ["/", "/planos", "/planos/premium", "/fatura", "/ajuda"];
            ("page.viewed", json!({"path": rng.pick(&pages)}), None)
        }
        70..82 => {
            let properties = json!({"items": 1 + rng.below(5)});
            ("cart.abandoned", properties, Some(cents(rng)))
        }
        _ => {
            let payment = rng.pick(&["pix", "cartão", "boleto"]);
            let properties = json!({"payment": payment, "items": 1 + rng.below(5)});
            ("order.paid", properties, Some(cents(rng)))
        }
    }
}

/// An amount with a long tail: half are below 150, the mean is 320, some are thousands.
fn cents(rng: &mut SplitMix64) -> u64 {
    let mut range = 480_000;
    for _ in 0..3 {
        range = rng.below(range) + 1;
    }
    1_990 + rng.below(range)
}
