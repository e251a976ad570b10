//! The relational form of conditions.

use std::collections::BTreeSet;

use domain::{
    customer::Channel,
    segment::{ContactSet, EventSet, Field, Measure, MetricTest, RfmTest, Said, Test},
};

/// A boolean expression over one customer. It is never undecided.
pub(crate) enum Expr {
    /// All hold; of none, it holds.
    All(Vec<Self>),
    /// Any holds; of none, it does not.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A test of a value.
    Value(Field, Test),
    /// Its number is in the set of this index.
    In(usize),
    /// Its key is one of these.
    Keys(Vec<String>),
}

/// A set of customer numbers.
#[derive(PartialEq)]
pub(crate) enum Set {
    /// Those with any of these labels.
    Tagged(Vec<String>),
    /// Those who said this about a channel, or anything.
    Said(Channel, Option<Said>),
    /// Those of whose events so many count.
    Events(EventSet, Times),
    /// Those whose events come to this.
    Measured(EventSet, Measure, MetricTest),
    /// Those with so many such reports.
    Contacted(ContactSet, Times),
    /// Those with these scores.
    Scored(RfmTest),
}

/// How many.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Times {
    /// So many or more, at least one.
    AtLeast(u32),
    /// So many, at least one.
    Exactly(u32),
}

/// A condition tree as an expression over sets.
pub(crate) struct Relation {
    pub(crate) expr: Expr,
    pub(crate) sets: Vec<Set>,
}

impl Relation {
    /// The expression that a number is in a set.
    pub(crate) fn set(&mut self, set: Set) -> Expr {
        let known = self.sets.iter().position(|known| *known == set);
        Expr::In(known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        }))
    }

    /// The sets that the expression needs.
    pub(crate) fn used(&self) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        self.expr.collect(&mut used);
        used
    }
}

impl Expr {
    pub(crate) fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            expr => Self::Not(Box::new(expr)),
        }
    }

    fn collect(&self, used: &mut BTreeSet<usize>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.collect(used));
            }
            Self::Not(inner) => inner.collect(used),
            Self::In(set) => {
                used.insert(*set);
            }
            Self::Value(..) | Self::Keys(_) => {}
        }
    }
}
