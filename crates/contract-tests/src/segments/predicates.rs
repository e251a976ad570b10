//! Random conditions.

use domain::segment::{Notation, Predicate};
use serde_json::{Value, json};

use super::Random;

/// Of the kinds of conditions, those over tags, consent, communications and scores.
const OWN: [usize; 5] = [5, 6, 11, 12, 13];

/// Makes predicates.
pub struct Predicates(Random, bool);

impl Predicates {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Random::new(seed ^ 0x5eed), false)
    }

    /// From a seed; without the kinds of conditions that only the own store can answer.
    pub fn of_source(seed: u64) -> Self {
        Self(Random::new(seed ^ 0x5eed), true)
    }

    /// The next one, as it was written and as it was read.
    pub fn written(&mut self) -> (Value, Predicate) {
        loop {
            let groups: Vec<Value> = (0..=self.0.below(3)).map(|_| self.group(true)).collect();
            let group_type = *self.0.of(&["and", "or"]);
            let written = json!({"groups": groups, "groupType": group_type});
            if let Ok(read) = Predicate::parse_segment(&written, "", Notation::default()) {
                return (written, read);
            }
        }
    }

    /// One that names no audience.
    pub fn plain(&mut self) -> Predicate {
        loop {
            let written = json!([self.group(false)]);
            if let Ok(read) = Predicate::parse_segment(&written, "", Notation::default()) {
                return read;
            }
        }
    }

    fn group(&mut self, audiences: bool) -> Value {
        let conditions: Vec<Value> = (0..=self.0.below(3))
            .map(|_| self.condition(audiences))
            .collect();
        let exclude = self.0.percent(20);
        json!({"logic": self.0.of(&["and", "or"]), "exclude": exclude, "conditions": conditions})
    }

    fn condition(&mut self, audiences: bool) -> Value {
        let kinds = if audiences { 15 } else { 14 };
        let mut kind = self.0.below(kinds);
        while self.1 && OWN.contains(&kind) {
            kind = self.0.below(kinds);
        }
        match kind {
            0..=4 => self.property(),
            5 => {
                let value = *self.0.of(&["VIP", "novo", "a\u{e7}\u{e3}o", "none"]);
                json!({"kind": "tag", "operator": self.0.of(&["has", "not_has"]), "value": value})
            }
            6 => {
                let channel = *self.0.of(&["sms", "email", "push"]);
                let status = *self.0.of(&["granted", "denied", "never"]);
                json!({"kind": "consent", "channel": channel, "status": status})
            }
            7..=8 => {
                let mut event = self.events("event");
                event["occurrence"] = self.occurrence();
                event
            }
            9..=10 => self.metric(),
            11..=12 => {
                let field = *self
                    .0
                    .of(&["sent", "failed", "answered", "opted_out", "busy"]);
                let channel = self.0.of(&[Value::Null, json!("voice")]).clone();
                let (occurrence, window) = (self.occurrence(), self.window());
                json!({"kind": "communication", "field": field, "channel": channel,
                    "occurrence": occurrence, "window": window})
            }
            13 => {
                let field = *self.0.of(&["recency", "frequency", "monetary"]);
                match self.0.percent(50) {
                    true => {
                        let cells = ["champions", "lost", "at_risk", "hibernating", "loyal"];
                        let operator = *self.0.of(&["equals", "not_equals"]);
                        json!({"kind": "rfm", "field": "cell", "operator": operator, "value": self.0.of(&cells)})
                    }
                    false => {
                        let operator = *self.0.of(&["greater", "less_or_equal", "equals"]);
                        json!({"kind": "rfm", "field": field, "operator": operator, "value": 1 + self.0.below(5)})
                    }
                }
            }
            _ => {
                let operator = *self.0.of(&["member_of", "not_member_of"]);
                json!({"kind": "audience", "operator": operator, "value": self.0.of(&["1", "2", "3"])})
            }
        }
    }

    fn property(&mut self) -> Value {
        let fields = [
            "city",
            "plan",
            "score",
            "odd \"name\" \\ %",
            "name",
            "document",
            "phone",
            "email",
            "document_kind",
            "document_valid",
            "email_valid",
            "created_at",
            "external_id",
            "none",
        ];
        let field = *self.0.of(&fields);
        let mut test = self.test();
        test["kind"] = json!("property");
        test["field"] = json!(field);
        test
    }

    /// An operator and a value.
    fn test(&mut self) -> Value {
        let operators = [
            "equals",
            "not_equals",
            "in",
            "not_in",
            "contains",
            "starts_with",
            "exists",
            "not_exists",
            "greater",
            "greater_or_equal",
            "less",
            "less_or_equal",
            "between",
            "before",
            "after",
            "in_last_days",
        ];
        let operator = *self.0.of(&operators);
        let value = match operator {
            "exists" | "not_exists" => return json!({"operator": operator}),
            "in" | "not_in" => json!([self.value(), self.value()]),
            "between" if self.0.percent(50) => json!([-3, self.number()]),
            "between" => json!(["2018-11-04", self.date()]),
            "contains" | "starts_with" => self.part(),
            "before" | "after" => self.date(),
            "in_last_days" => json!(self.0.of(&[1, 30, 365, 3_000])),
            "equals" | "not_equals" => self.value(),
            _ if self.0.percent(60) => self.number(),
            _ => self.date(),
        };
        json!({"operator": operator, "value": value})
    }

    fn value(&mut self) -> Value {
        let values = [
            json!("Recife"),
            json!("jos\u{e9}"),
            json!("JOSÉ"),
            json!("100%"),
            json!("o'brien \"x\""),
            json!("back\\slash"),
            json!(true),
            json!("true"),
            json!(false),
            json!("cpf"),
            json!("DOC037"),
            json!("X3"),
            json!("ana1@caf\u{e9}.com.br"),
            json!("2026-03-10"),
        ];
        match self.0.percent(60) {
            true => self.0.of(&values).clone(),
            false => self.number(),
        }
    }

    fn number(&mut self) -> Value {
        let numbers = [
            json!(0),
            json!(7.5),
            json!("7,50"),
            json!("1.234,56"),
            json!(-3),
            json!(0.1),
            json!("0.1000000000000000055"),
            json!("123456789012345678901234567890"),
            json!(9_007_199_254_740_993_u64),
            json!(1000),
            json!(10.5),
            json!("10.5000001"),
        ];
        self.0.of(&numbers).clone()
    }

    fn date(&mut self) -> Value {
        let dates = [
            "2026-02-08",
            "08/02/2026",
            "2026-03-10",
            "2026-03-10T15:30:00.250Z",
            "2018-11-04",
            "2001-09-09",
        ];
        json!(self.0.of(&dates))
    }

    fn part(&mut self) -> Value {
        let parts = [
            "rec",
            "JOS",
            "jose\u{301}",
            "SS",
            "\u{df}",
            "%",
            "_",
            "\\",
            "\"",
            "'",
            "7",
            "i\u{307}",
            "DOC0",
            "@",
            "11",
        ];
        json!(self.0.of(&parts))
    }

    fn window(&mut self) -> Value {
        match self.0.below(5) {
            0 => json!({"last_days": self.0.of(&[1, 7, 30, 31, 365])}),
            1 => json!({"since": self.date()}),
            2 => json!({"between": ["2018-11-04", self.date()]}),
            3 => json!("ever"),
            _ => Value::Null,
        }
    }

    fn occurrence(&mut self) -> Value {
        match self.0.percent(25) {
            true => Value::Null,
            false => {
                let op = *self.0.of(&["exactly", "at_least", "at_most"]);
                json!({"op": op, "count": self.0.below(4)})
            }
        }
    }

    fn events(&mut self, kind: &str) -> Value {
        let filters: Vec<Value> = (0..self.0.below(3))
            .map(|_| {
                let fields = ["amount", "store", "items", "odd \"name\" \\ %", "nested"];
                let mut test = self.test();
                test["field"] = json!(self.0.of(&fields));
                test
            })
            .collect();
        let name = *self.0.of(&["order.paid", "visit", "none"]);
        json!({"kind": kind, "name": name, "window": self.window(), "where": filters})
    }

    fn metric(&mut self) -> Value {
        let metrics = [
            "count",
            "sum",
            "average",
            "min",
            "max",
            "days_since_first",
            "days_since_last",
        ];
        let metric = *self.0.of(&metrics);
        let mut condition = self.events("metric");
        condition["metric"] = json!(metric);
        if matches!(metric, "sum" | "average" | "min" | "max") {
            condition["field"] = json!(self.0.of(&["amount", "items", "store"]));
        }
        let bounds = [
            json!(0),
            json!(1),
            json!(7.5),
            json!("10.5"),
            json!(30),
            json!(90),
            json!(-1),
            json!("999999999999.999999"),
        ];
        let operators = [
            "equals",
            "greater",
            "greater_or_equal",
            "less",
            "less_or_equal",
        ];
        match self.0.percent(80) {
            true => {
                condition["operator"] = json!(self.0.of(&operators));
                condition["value"] = self.0.of(&bounds).clone();
            }
            false => {
                condition["operator"] = json!("between");
                condition["value"] = json!([-1, self.0.of(&bounds)]);
            }
        }
        condition
    }
}
