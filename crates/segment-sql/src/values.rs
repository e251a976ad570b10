//! Tests of values.

use chrono::TimeDelta;
use domain::{
    segment::{Bound, EventField, Field, Form, Test, Values},
    shared::{Decimal, Instant},
};

use crate::{print::Printer, statement::Param};

/// Whose value is tested.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    Customer(&'a Field),
    Event(&'a EventField),
}

impl Printer<'_, '_> {
    /// A test of a value of a customer: true or false.
    pub(crate) fn value(&mut self, field: &Field, test: &Test) -> String {
        self.decided(Of::Customer(field), test)
    }

    /// A test of a value of an event: true or false.
    pub(crate) fn event_value(&mut self, field: &EventField, test: &Test) -> String {
        match field {
            EventField::Amount => {
                let Some(amount) = self.form(Of::Event(field), Form::Millionths) else {
                    return "FALSE".into();
                };
                settled(&amount_test(&amount, test))
            }
            EventField::Property(_) => self.decided(Of::Event(field), test),
        }
    }

    fn decided(&mut self, of: Of<'_>, test: &Test) -> String {
        match test {
            Test::NotIn(values) => format!("(NOT {})", settled(&self.is_in(of, values))),
            Test::NotExists => format!("(NOT {})", self.exists(of)),
            Test::Exists => self.exists(of),
            test => settled(&self.undecided(of, test)),
        }
    }

    fn form(&mut self, of: Of<'_>, form: Form) -> Option<String> {
        match of {
            Of::Customer(field) => self.dialect.value(field, form, &mut self.bind),
            Of::Event(field) => self.dialect.event_value(field, form, &mut self.bind),
        }
    }

    fn exists(&mut self, of: Of<'_>) -> String {
        let forms = [Form::Folded, Form::Flag, Form::Date];
        let there: Vec<String> = forms
            .into_iter()
            .filter_map(|form| self.form(of, form))
            .map(|value| format!("{value} IS NOT NULL"))
            .collect();
        match there.is_empty() {
            true => "FALSE".into(),
            false => format!("({})", there.join(" OR ")),
        }
    }

    /// A test that may be undecided where there is no value.
    fn undecided(&mut self, of: Of<'_>, test: &Test) -> String {
        match test {
            Test::In(values) => self.is_in(of, values),
            Test::Contains(part) => {
                let dialect = self.dialect;
                self.search(of, part, |text, part| dialect.contains(text, part))
            }
            Test::StartsWith(part) => {
                let dialect = self.dialect;
                self.search(of, part, |text, part| dialect.starts_with(text, part))
            }
            Test::Greater(bound) => self.order(of, bound, ">"),
            Test::GreaterOrEqual(bound) => self.order(of, bound, ">="),
            Test::Less(bound) => self.order(of, bound, "<"),
            Test::LessOrEqual(bound) => self.order(of, bound, "<="),
            Test::Between(low, high) => {
                let (low, high) = (self.order(of, low, ">="), self.order(of, high, "<="));
                format!("{low} AND {high}")
            }
            Test::InLastDays(days) => {
                let now = self.query.now;
                let from = now - TimeDelta::days(i64::from(*days));
                self.dated(of, from, now)
            }
            Test::Exists | Test::NotExists | Test::NotIn(_) => "FALSE".into(),
        }
    }

    fn search(&mut self, of: Of<'_>, part: &str, how: impl Fn(&str, &str) -> String) -> String {
        let Some(text) = self.form(of, Form::Folded) else {
            return "FALSE".into();
        };
        let part = self.text(part);
        how(&text, &part)
    }

    fn order(&mut self, of: Of<'_>, bound: &Bound, operator: &str) -> String {
        let (form, param) = match bound {
            Bound::Number(number) => (Form::Number, self.dialect.number(number)),
            // After a day is after its last instant, and from a day on is from its first.
            Bound::Date(first, last) => {
                let edge = if matches!(operator, ">" | "<=") {
                    last
                } else {
                    first
                };
                (Form::Date, self.dialect.date(*edge))
            }
        };
        match self.form(of, form) {
            Some(value) => format!("{value} {operator} {}", self.bind.place(param)),
            None => "FALSE".into(),
        }
    }

    fn dated(&mut self, of: Of<'_>, first: Instant, last: Instant) -> String {
        let Some(value) = self.form(of, Form::Date) else {
            return "FALSE".into();
        };
        let (first, last) = (self.dialect.date(first), self.dialect.date(last));
        let (first, last) = (self.bind.place(first), self.bind.place(last));
        format!("({value} >= {first} AND {value} <= {last})")
    }

    fn is_in(&mut self, of: Of<'_>, values: &Values) -> String {
        let mut parts = Vec::new();
        let texts: Vec<String> = values.texts().map(ToOwned::to_owned).collect();
        let flags: Vec<String> = values.bools().iter().map(ToString::to_string).collect();
        let plain = |text: &&String| matches!(text.as_str(), "true" | "false");
        let mut flagged: Vec<String> = texts.iter().filter(plain).cloned().collect();
        flagged.extend(flags.iter().cloned());
        for (form, list) in [
            (Form::Text, texts),
            (Form::Folded, flags),
            (Form::Flag, flagged),
        ] {
            if !list.is_empty()
                && let Some(value) = self.form(of, form)
            {
                let list = self.bind.place(Param::Texts(list));
                parts.push(self.dialect.among(&value, &list));
            }
        }
        for in_texts in [false, true] {
            let numbers = values.numbers().filter(|(_, text)| *text == in_texts);
            let numbers: Vec<&Decimal> = numbers.map(|(number, _)| number).collect();
            if numbers.is_empty() {
                continue;
            }
            let Some(value) = self.form(of, Form::Number) else {
                continue;
            };
            let list = self.dialect.numbers(numbers);
            let list = self.bind.place(list);
            let among = self.dialect.among(&value, &list);
            // What stands for a number in a text is equal to no other text.
            let text = in_texts.then(|| self.form(of, Form::Text)).flatten();
            parts.push(match text {
                Some(text) => format!("({text} IS NULL AND {among})"),
                None => among,
            });
        }
        for date in values.dates() {
            if let Bound::Date(first, last) = date {
                parts.push(self.dated(of, *first, *last));
            }
        }
        match parts.is_empty() {
            true => "FALSE".into(),
            false => parts.join(" OR "),
        }
    }
}

/// An expression that is false where it is undecided.
pub(crate) fn settled(expr: &str) -> String {
    match expr {
        "FALSE" => expr.to_owned(),
        expr => format!("(({expr}) IS TRUE)"),
    }
}

/// A test of an amount, which is a whole number of millionths.
fn amount_test(amount: &str, test: &Test) -> String {
    let order = |bound: &Bound, operator: &str| {
        let Bound::Number(number) = bound else {
            return "FALSE".to_owned();
        };
        let (floor, exact) = number.millionths();
        // No amount lies between a number that has more places and its floor.
        let (operator, bound) = match (operator, exact) {
            (">=", false) => (">", floor),
            ("<", false) => ("<=", floor),
            (operator, _) => (operator, floor),
        };
        format!("{amount} {operator} {bound}")
    };
    let is_in = |values: &Values| {
        let exact = values.numbers().filter_map(|(number, _)| {
            let (floor, exact) = number.millionths();
            exact.then(|| floor.to_string())
        });
        let exact: Vec<String> = exact.collect();
        match exact.is_empty() {
            true => "FALSE".to_owned(),
            false => format!("{amount} IN ({})", exact.join(", ")),
        }
    };
    match test {
        Test::Exists => format!("{amount} IS NOT NULL"),
        Test::NotExists => format!("{amount} IS NULL"),
        Test::In(values) => is_in(values),
        Test::NotIn(values) => format!("NOT {}", settled(&is_in(values))),
        Test::Greater(bound) => order(bound, ">"),
        Test::GreaterOrEqual(bound) => order(bound, ">="),
        Test::Less(bound) => order(bound, "<"),
        Test::LessOrEqual(bound) => order(bound, "<="),
        Test::Between(low, high) => format!("{} AND {}", order(low, ">="), order(high, "<=")),
        Test::Contains(_) | Test::StartsWith(_) | Test::InLastDays(_) => "FALSE".to_owned(),
    }
}
