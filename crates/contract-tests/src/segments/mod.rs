//! What a resolver of segments owes: the members that the evaluator in [`domain::segment`] finds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests, for other crates to run"
)]

pub mod people;
pub mod predicates;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    segment::{
        CustomerFacts, Life, Notation, Predicate, Reference, References, Scope, SegmentQuery,
    },
    shared::{AudienceId, Instant},
};
use people::{People, Person};
use ports::{
    segments::{Member, SegmentResolver},
    store::AudienceStore,
};
use predicates::Predicates;

/// Numbers that follow from a seed.
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next one, below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit.max(1) as u64).unwrap()
    }

    /// One of these.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len());
        &all[at]
    }

    /// So many times out of a hundred.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
}

/// The instant of the tests.
pub fn now() -> Instant {
    "2026-03-10T15:30:00.250Z".parse().unwrap()
}

/// A predicate and what is asked of the customers about it.
pub struct Case {
    /// What is asked.
    pub query: SegmentQuery,
    /// The conditions as they were written.
    pub groups: serde_json::Value,
}

/// Asks for `count` random predicates over people of every kind, and compares the members with those that
/// the evaluator finds.
pub async fn resolvers_agree_with_the_evaluator(
    store: &dyn AudienceStore,
    resolver: &dyn SegmentResolver,
    seed: u64,
    count: usize,
) {
    let people = People::add(store, seed).await;
    let mut predicates = Predicates::new(seed);
    for number in 0..count {
        let case = case(&people, &mut predicates);
        agree(&people, resolver, &case).await;
        // The other questions share the conditions with the walk.
        match number % 3 {
            0 => whole_and_parts_agree(&people, resolver, &case).await,
            1 => counts_agree(&people, resolver, &case).await,
            _ => {}
        }
    }
}

/// A random predicate over people.
pub fn case(people: &People, predicates: &mut Predicates) -> Case {
    let (groups, predicate) = predicates.written();
    let mut references = References::new();
    for id in predicate.audiences() {
        let reference = match id.raw() {
            1 => Reference::Keys(people.keys_of_some()),
            2 => Reference::Nobody,
            _ => Reference::Conditions(predicates.plain()),
        };
        references.insert(id, reference);
    }
    Case {
        query: SegmentQuery {
            workspace: people.workspace.clone(),
            predicate,
            references,
            now: now(),
            scope: Scope::All,
        },
        groups,
    }
}

async fn agree(people: &People, resolver: &dyn SegmentResolver, case: &Case) {
    let query = &case.query;
    let (mut walk, mut walked) = (resolver.stream(query.clone()).await.unwrap(), Vec::new());
    loop {
        let batch = walk.next().await.unwrap();
        if batch.is_empty() {
            break;
        }
        walked.extend(batch);
    }
    let wanted = members(people, query);
    assert_eq!(walked, wanted, "{:#}", case.groups);
}

async fn whole_and_parts_agree(people: &People, resolver: &dyn SegmentResolver, case: &Case) {
    let query = &case.query;
    let wanted = members(people, query);
    let whole = resolver.members(query, 10_000).await.unwrap();
    assert_eq!(whole, wanted, "{:#}", case.groups);
    let ids = people.all.iter().map(|p| p.customer.id.raw());
    let some: Vec<i64> = ids.step_by(3).collect();
    let last = *some.last().unwrap();
    for scope in [
        Scope::Ids(some.clone()),
        Scope::Ranges(vec![(some[1], some[4]), (last, last)]),
    ] {
        let inside = |id: i64| match &scope {
            Scope::Ids(ids) => ids.contains(&id),
            _ => (some[1]..=some[4]).contains(&id) || id == last,
        };
        let query = SegmentQuery {
            scope: scope.clone(),
            ..query.clone()
        };
        let few = resolver.members(&query, 10_000).await.unwrap();
        let of_some = wanted.iter().filter(|m| m.customer.is_some_and(inside));
        assert_eq!(
            few,
            of_some.cloned().collect::<Vec<_>>(),
            "{:#}",
            case.groups
        );
    }
}

async fn counts_agree(people: &People, resolver: &dyn SegmentResolver, case: &Case) {
    let wanted = members(people, &case.query).len();
    let counts = resolver.counts(&case.query).await.unwrap();
    assert_eq!(
        counts.matched,
        i64::try_from(wanted).unwrap(),
        "{:#}",
        case.groups
    );
    assert_eq!(counts.looked_at, i64::try_from(people.all.len()).unwrap());
    let conditions: Vec<_> = case.query.predicate.conditions().cloned().collect();
    for (condition, found) in conditions.into_iter().zip(&counts.by_condition) {
        let alone = SegmentQuery {
            predicate: Predicate::of(condition, Notation::default()),
            ..case.query.clone()
        };
        let wanted = i64::try_from(members(people, &alone).len()).unwrap();
        assert_eq!(*found, wanted, "{:#}", case.groups);
    }
}

/// The members that the evaluator finds.
pub fn members(people: &People, query: &SegmentQuery) -> Vec<Member> {
    let mut found: Vec<Member> = people
        .all
        .iter()
        .filter(|person| holds(person, &query.predicate, &query.references))
        .map(|person| Member {
            key: person.customer.key(),
            customer: Some(person.customer.id.raw()),
            version: person.customer.version,
            unsubscribed: person.unsubscribed(),
            given: None,
        })
        .collect();
    found.sort_by(|a, b| (&a.key, a.customer).cmp(&(&b.key, b.customer)));
    found
}

fn holds(person: &Person, predicate: &Predicate, references: &References) -> bool {
    let member = |reference: &Reference| match reference {
        Reference::Keys(keys) => keys.contains(&person.customer.key()),
        Reference::Conditions(predicate) => holds(person, predicate, &BTreeMap::new()),
        Reference::Nobody => false,
    };
    let of = references.iter().filter(|(_, reference)| member(reference));
    let audiences: BTreeSet<AudienceId> = of.map(|(id, _)| *id).collect();
    let life = Life {
        consents: &person.customer.consents,
        events: &person.events,
        outcomes: &person.outcomes,
        rfm: person.rfm,
        audiences: &audiences,
    };
    let customer = &person.customer;
    predicate.matches(&CustomerFacts { customer, life }, now())
}
