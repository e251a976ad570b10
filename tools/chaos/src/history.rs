//! What was acknowledged: the record that the end is held against.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A document and the name under which it was written.
pub type Contact = (String, String);

/// What a command does to the contacts that can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new audience with these contacts.
    Create {
        workspace: String,
        contacts: Vec<Contact>,
    },
    /// Contacts put in or replaced, in order.
    Write { contacts: Vec<Contact> },
    /// These documents taken out.
    Remove { documents: Vec<String> },
    /// Everything taken out.
    Clear,
    /// The last removal or clearing taken back.
    Undo,
    /// A new audience with what is in this one, but these documents.
    CopyWithout { to: String, documents: Vec<String> },
    /// No longer listed.
    Drop,
    /// Listed again.
    Restore,
}

/// Numbers that the answer, or the operation's report, claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    /// Contacts that were not there before; removed ones for a removal.
    pub changed: Option<u64>,
    /// Contacts that were there before.
    pub replaced: Option<u64>,
    /// The first answer was lost: what others have written since then counts as there before.
    pub repeated: bool,
}

/// An acknowledged command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The audience.
    pub audience: String,
    /// Who sent it: one writer sends one command after the other.
    pub writer: String,
    pub effect: Effect,
    pub claim: Claim,
}

/// Everything that a load did and saw.
#[derive(Debug, Default)]
pub struct History {
    commands: Mutex<Vec<Command>>,
    operations: Mutex<BTreeMap<String, u64>>,
    anomalies: Mutex<Vec<String>>,
    retries: AtomicU64,
    reads: AtomicU64,
    abandoned: AtomicU64,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl History {
    /// Records an acknowledged command.
    pub fn acknowledged(&self, command: Command) {
        locked(&self.commands).push(command);
    }

    /// Records that an operation was accepted, or done.
    pub fn operation(&self, id: &str) {
        locked(&self.operations).insert(id.to_owned(), 1);
    }

    /// Records that an operation that had ended is tried again: it ends once more.
    pub fn again(&self, id: &str) {
        *locked(&self.operations).entry(id.to_owned()).or_default() += 1;
    }

    /// Records what must never be seen.
    pub fn anomaly(&self, what: String) {
        locked(&self.anomalies).push(what);
    }

    pub fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// A client went away in the middle of a request.
    pub fn abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub fn commands(&self) -> Vec<Command> {
        locked(&self.commands).clone()
    }

    /// How many commands were acknowledged so far.
    pub fn len(&self) -> usize {
        locked(&self.commands).len()
    }

    /// Whether nothing was acknowledged.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Accepted operations, and how often each ends.
    pub fn operations(&self) -> BTreeMap<String, u64> {
        locked(&self.operations).clone()
    }

    pub fn anomalies(&self) -> Vec<String> {
        locked(&self.anomalies).clone()
    }

    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub fn abandonments(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }
}
