//! From conditions to the relational form.

use domain::{
    customer::Amount,
    segment::{
        Condition, Group, Logic, Measure, MetricTest, Occurrence, Predicate, Reference, References,
        Said, SqlTree, Test,
    },
};

use crate::relation::{Expr, Relation, Set, Times};

/// Most references that lead from one audience to the next.
const MAX_DEPTH: usize = 8;

/// The relational form of conditions.
pub(crate) fn lower(predicate: &Predicate, references: &References) -> Relation {
    let mut relation = Relation {
        expr: Expr::Any(Vec::new()),
        sets: Vec::new(),
    };
    let expr = whole(&mut relation, predicate, references, MAX_DEPTH);
    relation.expr = expr;
    relation
}

fn whole(
    relation: &mut Relation,
    predicate: &Predicate,
    references: &References,
    depth: usize,
) -> Expr {
    let mut of = |exclude: bool| -> Vec<Expr> {
        let groups = predicate.groups.iter().filter(|g| g.exclude == exclude);
        groups
            .map(|g| group(relation, g, references, depth))
            .collect()
    };
    let (included, excluded) = (of(false), of(true));
    let included = joined(predicate.between, included);
    if excluded.is_empty() {
        return included;
    }
    Expr::All(vec![included, Expr::Any(excluded).not()])
}

fn joined(logic: Logic, mut parts: Vec<Expr>) -> Expr {
    match (logic, parts.len()) {
        (_, 1) => parts.pop().unwrap_or(Expr::Any(Vec::new())),
        (Logic::And, _) => Expr::All(parts),
        (Logic::Or, _) => Expr::Any(parts),
    }
}

fn group(relation: &mut Relation, group: &Group, references: &References, depth: usize) -> Expr {
    let conditions = group.conditions.iter();
    let parts = conditions
        .map(|c| condition(relation, c, references, depth))
        .collect();
    joined(group.logic, parts)
}

/// One condition.
pub(crate) fn condition(
    relation: &mut Relation,
    condition: &Condition,
    references: &References,
    depth: usize,
) -> Expr {
    match condition {
        Condition::Property { field, test } => Expr::Value(field.clone(), test.clone()),
        Condition::Sql(sql) => tree(&sql.meaning),
        Condition::Tag { any, negated } => {
            let tagged = relation.set(Set::Tagged(any.clone()));
            if *negated { tagged.not() } else { tagged }
        }
        Condition::Consent {
            channel,
            said: Said::Never,
        } => relation.set(Set::Said(*channel, None)).not(),
        Condition::Consent { channel, said } => relation.set(Set::Said(*channel, Some(*said))),
        Condition::Event { events, occurrence } => times(*occurrence, |n| {
            relation.set(Set::Events(events.clone(), n))
        }),
        Condition::Communication {
            contacts,
            occurrence,
        } => times(*occurrence, |n| {
            relation.set(Set::Contacted(contacts.clone(), n))
        }),
        Condition::Metric {
            events,
            measure,
            test,
        } => {
            // Whoever has no events has none to be in a set, and a count or a sum of 0.
            let zero = matches!(measure, Measure::Count | Measure::Sum(_)) && test_zero(*test);
            let set = |test| Set::Measured(events.clone(), measure.clone(), test);
            if zero {
                let outside = opposite(*test).into_iter();
                let outside = outside.map(|test| relation.set(set(test)).not()).collect();
                Expr::All(outside)
            } else {
                relation.set(set(*test))
            }
        }
        Condition::Rfm(test) => relation.set(Set::Scored(test.clone())),
        Condition::Audience { id, negated } => {
            let members = match references.get(id) {
                Some(Reference::Keys(keys)) => Expr::Keys(keys.clone()),
                Some(Reference::Conditions(predicate)) if depth > 0 => {
                    whole(relation, predicate, references, depth - 1)
                }
                Some(Reference::Conditions(_) | Reference::Nobody) | None => Expr::Any(Vec::new()),
            };
            if *negated { members.not() } else { members }
        }
    }
}

fn tree(sql: &SqlTree) -> Expr {
    match sql {
        SqlTree::All(parts) => Expr::All(parts.iter().map(tree).collect()),
        SqlTree::Any(parts) => Expr::Any(parts.iter().map(tree).collect()),
        SqlTree::Test(field, test) => Expr::Value(field.clone(), test.clone()),
        SqlTree::Not(field, test) => Expr::All(vec![
            Expr::Value(field.clone(), Test::Exists),
            Expr::Value(field.clone(), test.clone()).not(),
        ]),
    }
}

/// So often: never is not being among those with one.
fn times(occurrence: Occurrence, mut set: impl FnMut(Times) -> Expr) -> Expr {
    match occurrence {
        Occurrence::Exactly(0) => set(Times::AtLeast(1)).not(),
        Occurrence::Exactly(n) => set(Times::Exactly(n)),
        Occurrence::AtLeast(0) | Occurrence::AtMost(u32::MAX) => Expr::All(Vec::new()),
        Occurrence::AtLeast(n) => set(Times::AtLeast(n)),
        Occurrence::AtMost(n) => set(Times::AtLeast(n + 1)).not(),
    }
}

fn test_zero(test: MetricTest) -> bool {
    let zero = Amount::from_millionths(0);
    match test {
        MetricTest::Equals(bound) => bound == zero,
        MetricTest::Greater(bound) => zero > bound,
        MetricTest::GreaterOrEqual(bound) => zero >= bound,
        MetricTest::Less(bound) => zero < bound,
        MetricTest::LessOrEqual(bound) => zero <= bound,
        MetricTest::Between(low, high) => low <= zero && zero <= high,
    }
}

/// Tests of which none holds where a test holds, and one where it does not.
fn opposite(test: MetricTest) -> Vec<MetricTest> {
    match test {
        MetricTest::Equals(bound) => vec![MetricTest::Less(bound), MetricTest::Greater(bound)],
        MetricTest::Greater(bound) => vec![MetricTest::LessOrEqual(bound)],
        MetricTest::GreaterOrEqual(bound) => vec![MetricTest::Less(bound)],
        MetricTest::Less(bound) => vec![MetricTest::GreaterOrEqual(bound)],
        MetricTest::LessOrEqual(bound) => vec![MetricTest::Greater(bound)],
        MetricTest::Between(low, high) => vec![MetricTest::Less(low), MetricTest::Greater(high)],
    }
}
