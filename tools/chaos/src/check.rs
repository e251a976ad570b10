//! The verdict: history in, what is there at the end in, violations of the invariants out.
//!
//! I6 and I8 are about imports and schedules; they are checked where those are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::history::{Command, Effect, History};

mod replay;

use replay::{Expected, replay};

/// An audience at the end, by every way of looking at it.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    pub workspace: String,
    /// What its counter says.
    pub count: u64,
    pub dropped: bool,
    /// A walk by cursor: document and name.
    pub walked: Vec<(String, String)>,
    /// Documents on the numbered pages.
    pub paged: Vec<String>,
}

/// The state at the end.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub audiences: BTreeMap<String, Audience>,
    /// State of each operation.
    pub operations: BTreeMap<String, String>,
    /// Operations that nobody asks for, and that end when they end.
    pub purges: BTreeSet<String>,
    /// The operation of each notification.
    pub notifications: Vec<String>,
    /// The operation of each final event that the outbox held.
    pub final_events: Vec<String>,
    /// Final events that the outside subscriber heard: event id to operation. `None` where it could
    /// not hear everything.
    pub heard: Option<BTreeMap<String, String>>,
    /// Events waiting in the outbox.
    pub outbox: u64,
    /// Running operations whose lease has run out.
    pub without_lease: u64,
    /// Times that an operation changed hands before its lease had run out.
    pub stolen: u64,
    /// Writes that nobody has closed.
    pub open_writes: u64,
    /// Sessions with an open transaction and nothing to do.
    pub idle_in_transaction: u64,
    /// Stored contacts under another workspace than their audience's.
    pub foreign_rows: u64,
    /// Dead letters in the inbox and in the broker.
    pub dead: u64,
    /// Dead letters that the case makes.
    pub dead_expected: u64,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// Collects violations.
#[derive(Default)]
pub(crate) struct Findings(Vec<Violation>);

impl Findings {
    pub(crate) fn add(&mut self, invariant: &'static str, what: String) {
        self.0.push(Violation { invariant, what });
    }

    fn none_of(&mut self, invariant: &'static str, count: u64, what: &str) {
        if count > 0 {
            self.add(invariant, format!("{count} {what}"));
        }
    }
}

/// Everything that does not hold.
pub fn check(history: &History, seen: &Observed) -> Vec<Violation> {
    let mut findings = Findings::default();
    for anomaly in history.anomalies() {
        findings.add("seen", anomaly);
    }
    let expected = replay(&history.commands(), &mut findings);
    for (id, expected) in &expected {
        match seen.audiences.get(id) {
            Some(found) => audience(id, expected, found, &mut findings),
            None => findings.add("I1", format!("{id} was created and is not there")),
        }
    }
    for id in seen
        .audiences
        .keys()
        .filter(|id| !expected.contains_key(*id))
    {
        findings.add("I2", format!("{id} is there and nobody created it"));
    }
    operations(&history.operations(), seen, &mut findings);
    findings.none_of(
        "I7",
        seen.foreign_rows,
        "contacts under a foreign workspace",
    );
    findings.none_of("I9", seen.outbox, "events left in the outbox");
    findings.none_of("I10", seen.without_lease, "operations run without a lease");
    findings.none_of(
        "I10",
        seen.stolen,
        "operations taken over before their lease ended",
    );
    findings.none_of("I4", seen.open_writes, "writes that nobody closed");
    findings.none_of("D5", seen.idle_in_transaction, "transactions left open");
    if seen.dead != seen.dead_expected {
        let (dead, expected) = (seen.dead, seen.dead_expected);
        findings.add("E3", format!("{dead} dead letters, not {expected}"));
    }
    findings.0
}

fn audience(id: &str, expected: &Expected, found: &Audience, findings: &mut Findings) {
    if found.workspace != expected.workspace {
        findings.add(
            "I7",
            format!(
                "{id} is in {}, not in {}",
                found.workspace, expected.workspace
            ),
        );
    }
    if found.dropped != expected.dropped {
        findings.add("I1", format!("{id}: dropped is {}", found.dropped));
    }
    let walked: BTreeMap<&str, &str> = found
        .walked
        .iter()
        .map(|(document, name)| (document.as_str(), name.as_str()))
        .collect();
    if walked.len() != found.walked.len() {
        findings.add("I5", format!("{id}: a document is there twice"));
    }
    if !found.walked.is_sorted() {
        findings.add("I5", format!("{id}: the walk is out of order"));
    }
    if found.count != walked.len() as u64 {
        let shown = walked.len();
        findings.add(
            "I4",
            format!("{id} counts {} and shows {shown}", found.count),
        );
    }
    let pages: BTreeSet<&str> = found.paged.iter().map(String::as_str).collect();
    if pages.len() != found.paged.len() || !pages.iter().eq(walked.keys()) {
        findings.add("I4", format!("{id}: its pages show others than the walk"));
    }
    let mut wrong = Wrong::default();
    for (document, names) in &expected.contacts {
        match walked.get(document.as_str()) {
            None => wrong.lost.push(document),
            Some(name) if !names.contains(*name) => wrong.stale.push(document),
            Some(_) => {}
        }
    }
    let unexpected = walked
        .keys()
        .filter(|d| !expected.contacts.contains_key(**d));
    wrong.unexpected.extend(unexpected);
    wrong.tell(id, findings);
}

/// Documents that are not as they should be.
#[derive(Default)]
struct Wrong<'a> {
    lost: Vec<&'a str>,
    stale: Vec<&'a str>,
    unexpected: Vec<&'a str>,
}

impl Wrong<'_> {
    fn tell(&self, id: &str, findings: &mut Findings) {
        for (invariant, documents, what) in [
            ("I1", &self.lost, "lost"),
            ("I5", &self.stale, "not as last written"),
            (
                "I2",
                &self.unexpected,
                "there though removed or never written",
            ),
        ] {
            if let Some(first) = documents.first() {
                let count = documents.len();
                findings.add(
                    invariant,
                    format!("{id}: {count} contacts {what}, {first} first"),
                );
            }
        }
    }
}

fn counted<'a>(ids: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, u64> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id.as_str()).or_default() += 1;
    }
    counts
}

fn operations(accepted: &BTreeMap<String, u64>, seen: &Observed, findings: &mut Findings) {
    let told = counted(seen.notifications.iter());
    let events = counted(seen.final_events.iter());
    let heard = seen.heard.as_ref().map(|heard| counted(heard.values()));
    for id in accepted.keys() {
        match seen.operations.get(id).map(String::as_str) {
            Some("succeeded") => {}
            Some(state) => findings.add("I3", format!("{id} is {state}")),
            None => findings.add("I1", format!("{id} was accepted and is not there")),
        }
    }
    let by_source = [
        ("notifications", Some(told)),
        ("final events", Some(events)),
        ("final events heard", heard),
    ];
    for (what, counts) in by_source {
        let Some(counts) = counts else { continue };
        for (id, ends) in accepted {
            let count = counts.get(id.as_str()).copied().unwrap_or_default();
            if count != *ends {
                findings.add("I3", format!("{id} has {count} {what}, not {ends}"));
            }
        }
        for (id, count) in counts {
            if seen.purges.contains(id) && count > 1 {
                findings.add("I3", format!("{id} has {count} {what}"));
            }
            if !accepted.contains_key(id) && !seen.purges.contains(id) {
                findings.add("I3", format!("{what} of {id}, which nobody asked for"));
            }
        }
    }
}

/// Whether a command makes an audience.
const fn creates(command: &Command) -> bool {
    matches!(command.effect, Effect::Create { .. })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
