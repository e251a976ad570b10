//! Two replicas of the program on real servers: the scenario of every way to run Plateia, and what
//! only several replicas can get wrong.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a set-up that fails is a test that fails"
)]

mod customers;
mod stack;
mod start;

use contract_tests::scenario::play;
use stack::Stack;

#[test]
fn two_replicas_play_the_scenario() {
    let stack = Stack::start(2);
    play(&stack.service());
}
