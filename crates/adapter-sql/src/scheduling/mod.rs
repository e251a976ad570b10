//! Communications: what waits for its instant, what was claimed, and what became of each recipient.

mod communications;
mod lanes;
mod queries;
mod recipients;
mod rows;

use async_trait::async_trait;
use ports::{
    StoreError,
    scheduling::{
        CommunicationRepository, LaneRepository, RecipientRepository, ScheduleStore, ScheduleUnit,
    },
    store::Durability,
};

use super::{Conn, Db, dialect, json_rows, transaction::Transaction};

#[async_trait]
impl ScheduleStore for Db {
    async fn begin_schedule(&self) -> Result<Box<dyn ScheduleUnit>, StoreError> {
        let transaction = Transaction::begin(self, Durability::Full).await?;
        Ok(Box::new(transaction))
    }
}

impl ScheduleUnit for Transaction {
    fn communications(&mut self) -> Box<dyn CommunicationRepository + '_> {
        Box::new(communications::Communications(self.conn()))
    }

    fn recipients(&mut self) -> Box<dyn RecipientRepository + '_> {
        Box::new(recipients::Recipients(self.conn()))
    }

    fn lanes(&mut self) -> Box<dyn LaneRepository + '_> {
        Box::new(lanes::Lanes(self.conn()))
    }
}
