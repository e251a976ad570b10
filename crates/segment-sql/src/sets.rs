//! Printing sets of customers.

use chrono::TimeDelta;
use domain::{
    customer::Amount,
    segment::{ContactSet, EventField, EventSet, Form, Measure, MetricTest, RfmTest, Said, Window},
    shared::Instant,
};

use crate::{
    dialect::{EventColumn, Missing},
    print::Printer,
    relation::{Set, Times},
    statement::Param,
};

const MILLION: i64 = 1_000_000;
/// More days than any event is away.
const MAX_DAYS: i64 = 700_000;

impl Printer<'_, '_> {
    /// A query that answers the numbers of a set as `id`, each once.
    pub(crate) fn set(&mut self, set: &Set) -> Result<String, Missing> {
        match set {
            Set::Tagged(tags) => {
                self.dialect.own("tags")?;
                let (tenant, within) = (self.tenant("t.workspace"), self.within("t.customer"));
                let list = self.bind.place(Param::Texts(tags.clone()));
                let among = self.dialect.among("t.tag", &list);
                Ok(format!(
                    "SELECT DISTINCT t.customer AS id FROM customer_tags AS t WHERE {tenant} AND {among}{within}"
                ))
            }
            Set::Said(channel, said) => {
                self.dialect.own("consent")?;
                let (tenant, within) = (self.tenant("p.workspace"), self.within("p.customer"));
                let channel = self.text(channel.as_str());
                let status = match said {
                    Some(said) => {
                        let status = match said {
                            Said::Granted => "granted",
                            Said::Denied | Said::Never => "denied",
                        };
                        format!(" AND p.status = {}", self.text(status))
                    }
                    None => String::new(),
                };
                Ok(format!(
                    "SELECT p.customer AS id FROM customer_consents AS p WHERE {tenant} AND p.channel = {channel}{status}{within}"
                ))
            }
            Set::Events(events, times) => {
                let from = self.events(events)?;
                Ok(self.counted(&self.dialect.event(EventColumn::Customer), &from, *times))
            }
            Set::Measured(events, measure, test) => {
                let from = self.events(events)?;
                let having = self.having(measure, *test)?;
                let customer = self.dialect.event(EventColumn::Customer);
                Ok(format!(
                    "SELECT {customer} AS id{from} GROUP BY {customer} HAVING {having}"
                ))
            }
            Set::Contacted(contacts, times) => {
                self.dialect.own("reports of communications")?;
                let from = self.contacts(contacts);
                Ok(self.counted("c.id", &from, *times))
            }
            Set::Scored(test) => {
                self.dialect.own("scores")?;
                let (tenant, within) = (self.tenant("r.workspace"), self.within("r.customer"));
                let scored = match test {
                    RfmTest::Cell(cells) => {
                        let cells = cells.iter().map(|cell| cell.as_str().to_owned());
                        let list = self.bind.place(Param::Texts(cells.collect()));
                        self.dialect.among("r.cell", &list)
                    }
                    RfmTest::Score(score, any) => {
                        let any = any.iter().map(|score| i64::from(*score));
                        let list = self.bind.place(Param::Ints(any.collect()));
                        self.dialect.among(&format!("r.{score}"), &list)
                    }
                };
                Ok(format!(
                    "SELECT r.customer AS id FROM customer_scores AS r WHERE {tenant} AND {scored}{within}"
                ))
            }
        }
    }

    /// Whose rows there are so many of.
    fn counted(&self, customer: &str, from: &str, times: Times) -> String {
        match times {
            Times::AtLeast(1) => format!("SELECT DISTINCT {customer} AS id{from}"),
            Times::AtLeast(n) => {
                format!("SELECT {customer} AS id{from} GROUP BY {customer} HAVING COUNT(*) >= {n}")
            }
            Times::Exactly(n) => {
                format!("SELECT {customer} AS id{from} GROUP BY {customer} HAVING COUNT(*) = {n}")
            }
        }
    }

    fn events(&mut self, events: &EventSet) -> Result<String, Missing> {
        let table = self.dialect.events()?;
        let [tenant, customer, name, time] = [
            EventColumn::Workspace,
            EventColumn::Customer,
            EventColumn::Name,
            EventColumn::Time,
        ]
        .map(|column| self.dialect.event(column));
        let tenant = match tenant.is_empty() {
            true => String::new(),
            false => format!("{} AND ", self.tenant(&tenant)),
        };
        let (within, value) = (self.within(&customer), self.text(events.name.as_str()));
        let window = self.window(&time, &events.window);
        let mut filters = String::new();
        for filter in &events.filters {
            filters.push_str(" AND ");
            filters.push_str(&self.event_value(&filter.field, &filter.test));
        }
        Ok(format!(
            " FROM {table} WHERE {tenant}{name} = {value}{window}{within}{filters}"
        ))
    }

    fn contacts(&mut self, contacts: &ContactSet) -> String {
        let (tenant, within) = (self.tenant("o.workspace"), self.within("c.id"));
        let outcomes = contacts.outcomes.iter().map(|o| o.as_str().to_owned());
        let list = self.bind.place(Param::Texts(outcomes.collect()));
        let outcome = self.dialect.among("o.outcome", &list);
        let channel = match &contacts.channel {
            Some(channel) => format!(" AND o.channel = {}", self.text(channel)),
            None => String::new(),
        };
        let window = self.window("o.occurred_at", &contacts.window);
        format!(
            " FROM outcomes AS o JOIN customers AS c ON c.workspace = o.workspace AND c.document = o.document \
             WHERE {tenant} AND {outcome}{channel}{window}{within}"
        )
    }

    fn window(&mut self, time: &str, window: &Window) -> String {
        let (first, last) = window.edges(self.query.now);
        let mut text = String::new();
        for (edge, operator) in [(first, ">="), (last, "<=")] {
            if let Some(edge) = edge {
                let edge = self.bind.place(Param::Instant(edge));
                text.push_str(&format!(" AND {time} {operator} {edge}"));
            }
        }
        text
    }

    fn having(&mut self, measure: &Measure, test: MetricTest) -> Result<String, Missing> {
        let time = self.dialect.event(EventColumn::Time);
        let (of_field, field): (fn(&str) -> String, _) = match measure {
            Measure::Count => {
                return Ok(compared(test, |bound, operator| {
                    format!("COUNT(*) * {MILLION} {operator} {bound}")
                }));
            }
            Measure::DaysSinceFirst => return Ok(self.days(&format!("MIN({time})"), test)),
            Measure::DaysSinceLast => return Ok(self.days(&format!("MAX({time})"), test)),
            Measure::Sum(field) | Measure::Average(field) => (|value| value.to_owned(), field),
            Measure::Min(field) => (|value| format!("MIN({value})"), field),
            Measure::Max(field) => (|value| format!("MAX({value})"), field),
        };
        let value = self.amount(field)?;
        Ok(compared(test, |bound, operator| match measure {
            Measure::Sum(_) => format!("{} {operator} {bound}", self.dialect.sum(&value)),
            // Whether a mean is above a bound is whether what lies above it outweighs what lies below.
            Measure::Average(_) => {
                let beyond = self.dialect.sum(&format!("({value} - {bound})"));
                format!("{beyond} {operator} 0")
            }
            _ => format!("{} {operator} {bound}", of_field(&value)),
        }))
    }

    fn amount(&mut self, field: &EventField) -> Result<String, Missing> {
        let value = self
            .dialect
            .event_value(field, Form::Millionths, &mut self.bind);
        value.ok_or(Missing("numbers of this property"))
    }

    /// A test of the whole days that have passed since an instant.
    fn days(&mut self, at: &str, test: MetricTest) -> String {
        let now = self.query.now;
        let floor = |bound: Amount| bound.millionths().div_euclid(MILLION);
        let whole = |bound: Amount| bound.millionths().rem_euclid(MILLION) == 0;
        let ceiling = |bound: Amount| floor(bound) + i64::from(!whole(bound));
        let ago = |days: i64| -> Instant { now - TimeDelta::days(days.clamp(-MAX_DAYS, MAX_DAYS)) };
        let mut at_least = |days| {
            let edge = self.bind.place(Param::Instant(ago(days)));
            format!("{at} <= {edge}")
        };
        match test {
            MetricTest::Equals(bound) if !whole(bound) => "FALSE".into(),
            MetricTest::Equals(bound) => {
                let (from, past) = (at_least(floor(bound)), at_least(floor(bound) + 1));
                format!("{from} AND NOT {past}")
            }
            MetricTest::Greater(bound) => at_least(floor(bound) + 1),
            MetricTest::GreaterOrEqual(bound) => at_least(ceiling(bound)),
            MetricTest::Less(bound) => format!("NOT {}", at_least(ceiling(bound))),
            MetricTest::LessOrEqual(bound) => format!("NOT {}", at_least(floor(bound) + 1)),
            MetricTest::Between(low, high) => {
                let (from, past) = (at_least(ceiling(low)), at_least(floor(high) + 1));
                format!("{from} AND NOT {past}")
            }
        }
    }
}

/// A test as comparisons with bounds, in millionths.
fn compared(test: MetricTest, order: impl Fn(i64, &str) -> String) -> String {
    let order = |bound: Amount, operator| order(bound.millionths(), operator);
    match test {
        MetricTest::Equals(bound) => order(bound, "="),
        MetricTest::Greater(bound) => order(bound, ">"),
        MetricTest::GreaterOrEqual(bound) => order(bound, ">="),
        MetricTest::Less(bound) => order(bound, "<"),
        MetricTest::LessOrEqual(bound) => order(bound, "<="),
        MetricTest::Between(low, high) => {
            format!("{} AND {}", order(low, ">="), order(high, "<="))
        }
    }
}
