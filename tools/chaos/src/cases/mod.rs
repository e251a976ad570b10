//! The rows of the matrix, each under its name: what disturbs the load.

use std::time::Duration;

use anyhow::Context;
use futures::future::LocalBoxFuture;

use crate::{
    load::{Load, Shape},
    replica::Replica,
    rig::{Options, Rig},
};

mod broker;
mod database;
mod events;
mod kills;
mod links;
mod matrix;
mod replicas;
mod servers;

pub use matrix::CASES;

/// Longer than every lease.
const LAPSED: Duration = Duration::from_secs(40);

/// What a case has before it.
pub struct Scene<'a> {
    pub rig: &'a Rig<'a>,
    pub load: &'a Load,
    /// Fewer faults.
    pub short: bool,
}

impl Scene<'_> {
    /// One replica after the other.
    fn replica(&self, turn: u64) -> anyhow::Result<&Replica> {
        let turn = usize::try_from(turn)? % self.rig.replicas.len();
        self.rig.replicas.get(turn).context("no replica")
    }

    /// One of two numbers: of the whole run, or of the sample.
    const fn either(&self, whole: u64, sample: u64) -> u64 {
        if self.short { sample } else { whole }
    }
}

/// Disturbs, and answers how often; what the proxies and the load count comes on top.
type Disturb = for<'a> fn(&'a Scene<'a>) -> LocalBoxFuture<'a, anyhow::Result<u64>>;

/// Where a case runs, and under which load.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub place: Options,
    pub shape: Shape,
}

/// A row of the matrix, disturbed in one way.
pub struct Case {
    /// Begins with the row.
    pub name: &'static str,
    pub what: &'static str,
    /// Whether it is part of the sample.
    pub sample: bool,
    pub setup: Setup,
    pub disturb: Disturb,
}

impl Case {
    const fn new(name: &'static str, what: &'static str, disturb: Disturb) -> Self {
        Self {
            name,
            what,
            sample: false,
            setup: Setup {
                place: Options::USUAL,
                shape: Shape::USUAL,
            },
            disturb,
        }
    }

    /// Part of the sample.
    const fn sampled(mut self) -> Self {
        self.sample = true;
        self
    }

    const fn under(mut self, shape: Shape) -> Self {
        self.setup.shape = shape;
        self
    }

    const fn at(mut self, place: Options) -> Self {
        self.setup.place = place;
        self
    }
}
