//! What the writing thread does, row by row.

use std::{marker::PhantomData, time::Instant};

use diesel::{OptionalExtension, RunQueryDsl, SqliteConnection};
use domain::{
    contact::Document,
    shared::{RemovalNo, WriteNo},
};
use ports::{
    StoreError,
    contacts::{Applied, ContentKey, Order, Tombstone},
};
use tokio::sync::oneshot;

use super::{
    statements::{DeleteHidden, DeleteStone, Entomb, Stored, Upsert},
    writer::{Step, Work},
};
use crate::core::error;

/// Rows between two looks at the clock.
const ROWS_PER_LOOK: usize = 32;
/// Stands for "nothing was replaced" in the table.
const NOTHING: i64 = -1;

/// The same change for each of many rows.
pub(super) struct Rows<R, A, F> {
    rows: Vec<R>,
    answers: Vec<A>,
    change: F,
    answer: oneshot::Sender<Result<Vec<A>, StoreError>>,
}

impl<R, A, F> Rows<R, A, F>
where
    R: Send + 'static,
    A: Send + 'static,
    F: FnMut(&mut SqliteConnection, &R) -> Result<A, StoreError> + Send + 'static,
{
    /// Applies `change` to each row, in order; the answer holds what it returned, in the same order.
    pub fn work(
        rows: Vec<R>,
        change: F,
        answer: oneshot::Sender<Result<Vec<A>, StoreError>>,
    ) -> Box<dyn Work> {
        let answers = Vec::with_capacity(rows.len());
        Box::new(Self {
            rows,
            answers,
            change,
            answer,
        })
    }
}

impl<R, A, F> Work for Rows<R, A, F>
where
    R: Send + 'static,
    A: Send + 'static,
    F: FnMut(&mut SqliteConnection, &R) -> Result<A, StoreError> + Send + 'static,
{
    fn step(&mut self, conn: &mut SqliteConnection, deadline: Instant) -> Result<Step, StoreError> {
        for row in self.rows.iter().skip(self.answers.len()) {
            self.answers.push((self.change)(conn, row)?);
            if self.answers.len().is_multiple_of(ROWS_PER_LOOK) && Instant::now() >= deadline {
                break;
            }
        }
        let done = self.answers.len() == self.rows.len();
        Ok(if done { Step::Done } else { Step::More })
    }

    fn restart(&mut self) {
        self.answers.clear();
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        // The caller may have gone; what is stored is stored.
        let Self {
            answer, answers, ..
        } = *self;
        let _ = answer.send(outcome.map(|()| answers));
    }
}

/// A contact ready to be stored.
pub(super) struct EncodedContact {
    pub document: Document,
    pub order: Order,
    pub body: String,
}

pub(super) fn upsert(
    conn: &mut SqliteConnection,
    key: ContentKey,
    workspace: &str,
    write: WriteNo,
    row: &EncodedContact,
) -> Result<Applied, StoreError> {
    let (audience, epoch, document) = (key.audience.raw(), key.epoch.0, row.document.as_str());
    let statement = Upsert {
        audience,
        epoch,
        document,
        seq: row.order.0,
        write_no: write.0,
        workspace,
        body: &row.body,
        lifetime: PhantomData,
    };
    let previous: Option<i64> = statement
        .get_result(conn)
        .optional()
        .map_err(error::store)?;
    if let Some(previous) = previous {
        return Ok(order(previous).map_or(Applied::Inserted, Applied::Replaced));
    }
    let stored = Stored {
        audience,
        epoch,
        document,
        lifetime: PhantomData,
    };
    let (seq, previous, by): (i64, i64, i64) = stored.get_result(conn).map_err(error::store)?;
    Ok(if seq == row.order.0 {
        Applied::Repeated {
            previous: order(previous),
            by: WriteNo(by),
        }
    } else {
        Applied::Superseded
    })
}

pub(super) fn order(previous: i64) -> Option<Order> {
    (previous != NOTHING).then_some(Order(previous))
}

pub(super) fn put_tombstone(
    conn: &mut SqliteConnection,
    key: ContentKey,
    stone: &Tombstone,
) -> Result<(), StoreError> {
    let statement = Entomb {
        audience: key.audience.raw(),
        epoch: key.epoch.0,
        document: stone.document.as_str(),
        removal: stone.removal.0,
        seq: stone.order.0,
        reasons: stone.reasons.bits(),
        counted: stone.counted.bits(),
        run: stone.run,
        lifetime: PhantomData,
    };
    statement.execute(conn).map(drop).map_err(error::store)
}

/// Deletes a tombstone and the contact that it hides.
pub(super) fn purge(
    conn: &mut SqliteConnection,
    key: ContentKey,
    removal: RemovalNo,
    document: &Document,
    hides: Option<Order>,
) -> Result<(), StoreError> {
    let (audience, epoch, document) = (key.audience.raw(), key.epoch.0, document.as_str());
    if let Some(order) = hides {
        let contact = DeleteHidden {
            audience,
            epoch,
            document,
            seq: order.0,
            lifetime: PhantomData,
        };
        contact.execute(conn).map_err(error::store)?;
    }
    let removal = removal.0;
    let stone = DeleteStone {
        audience,
        epoch,
        document,
        removal,
        lifetime: PhantomData,
    };
    stone.execute(conn).map(drop).map_err(error::store)
}
