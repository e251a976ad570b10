//! Replicas in one place on the servers of the test run.

use test_kit::{
    place::{KEY, Place},
    program::{Program, Ready},
    scenario::Service,
};

/// A place for replicas.
pub fn place() -> Place {
    Place::new(env!("CARGO_BIN_EXE_audience-service"))
}

/// A client of one replica.
pub fn only(ready: &Ready) -> Service {
    Service::new([ready.address], KEY)
}

/// Replicas in one place.
pub struct Stack {
    place: Place,
    replicas: Vec<(Program, Ready)>,
}

impl Stack {
    pub fn start(replicas: usize) -> Self {
        let place = place();
        Self {
            replicas: (0..replicas).map(|_| place.start(&[])).collect(),
            place,
        }
    }

    /// What replicas call their schema, database and queues.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    pub fn service(&self) -> Service {
        let addresses = self.replicas.iter().map(|(_, ready)| ready.address);
        Service::new(addresses, KEY)
    }
}
