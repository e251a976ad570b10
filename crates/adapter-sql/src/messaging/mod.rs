//! Events that leave, and deliveries that are done.

use ports::bus::{InboxLog, MessagingUnit, OutboxWriter};

use super::{
    Backend, Conn, Db, dialect, direct,
    transaction::{self, Transaction},
};

mod dead_letters;
mod inbox;
mod outbox;
mod outbox_queue;

impl MessagingUnit for Transaction {
    fn outbox(&mut self) -> Box<dyn OutboxWriter + '_> {
        Box::new(outbox::Outbox(self.conn()))
    }

    fn inbox(&mut self) -> Box<dyn InboxLog + '_> {
        Box::new(inbox::Inbox(self.conn()))
    }
}
