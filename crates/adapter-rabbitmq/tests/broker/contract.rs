//! The cases that every bus passes.

use contract_tests::bus::travel::TravelHarness;

use crate::rig::{Rig, with};

#[async_trait::async_trait]
impl TravelHarness for Rig {
    async fn start(
        &self,
        required: ports::bus::Subscribers,
        listeners: Vec<ports::bus::Binding>,
        inbox: std::sync::Arc<dyn ports::bus::InboxStore>,
        wake: std::sync::Arc<dyn ports::bus::WakeUp>,
    ) -> std::sync::Arc<dyn ports::bus::EventPublisher> {
        let bind = |bus: adapter_rabbitmq::RabbitBus, binding| {
            bus.bind(binding, inbox.clone(), wake.clone())
        };
        let bus = listeners.into_iter().fold(self.bus(required), bind);
        self.run(bus).await.publisher
    }
}

contract_tests::travel_contract!(with);
