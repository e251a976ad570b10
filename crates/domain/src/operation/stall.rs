//! Operations that stand still, as the process knows that works on them. What cannot be written
//! where operations are stored, because just that has no room, is still told to who asks.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Operation, OperationKind, OperationState};
use crate::shared::{OperationId, text_enum};

text_enum!(
    /// Why an operation stands still that goes on by itself.
    Stall {
        /// A store cannot be reached.
        StoreAway = "store_unavailable",
        /// The disk of a store, or of the files, is full.
        DiskFull = "disk_full",
    }
);

/// What this process works on, and what of it stands still.
#[derive(Debug, Default)]
pub struct Stalls {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    in_hand: HashMap<OperationId, Option<Stall>>,
    /// Kinds of which none can be taken, because that cannot be stored.
    untaken: HashSet<OperationKind>,
}

impl Stalls {
    /// This process works on it.
    pub fn goes_on(&self, id: OperationId) {
        self.known().in_hand.insert(id, None);
    }

    /// This process works on it as soon as that is possible.
    pub fn record(&self, id: OperationId, stall: Stall) {
        self.known().in_hand.insert(id, Some(stall));
    }

    /// This process has it no longer.
    pub fn is_gone(&self, id: OperationId) {
        self.known().in_hand.remove(&id);
    }

    /// Whether operations of these kinds cannot be taken for want of room.
    pub fn taking(&self, kinds: &[OperationKind], full: bool) {
        let mut known = self.known();
        if full {
            known.untaken.extend(kinds);
        } else {
            known.untaken.retain(|kind| !kinds.contains(kind));
        }
    }

    /// The operation as it is: a stored state that is not true any more is replaced.
    pub fn annotate(&self, mut operation: Operation) -> Operation {
        let known = self.known();
        let stall = match known.in_hand.get(&operation.id) {
            Some(stall) => *stall,
            None if known.untaken.contains(&operation.kind) => Some(Stall::DiskFull),
            None => None,
        };
        if let Some(stall) = stall.filter(|_| !operation.state.is_terminal()) {
            operation.state = OperationState::Waiting;
            operation.reason = Some(stall.to_string());
        }
        operation
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
