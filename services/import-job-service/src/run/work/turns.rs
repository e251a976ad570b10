//! Who shares a budget asks for it in turn, so that none of the runs of this process starves another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use domain::importing::BudgetKey;

/// The queue of those who share one budget, first come, first served.
pub type Turn = Arc<tokio::sync::Mutex<()>>;

/// The queues of all budgets that are in use.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<BudgetKey, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// The queue of a budget.
    pub fn of(&self, budget: &BudgetKey) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(budget).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Turn::default();
        turns.insert(budget.clone(), Arc::downgrade(&turn));
        turn
    }
}
