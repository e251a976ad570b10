//! The rows of one write: several requests folded to one row per document.

use std::collections::{BTreeSet, HashMap};

use domain::{
    contact::{ContactBody, Document},
    shared::WriteNo,
};
use ports::{
    contacts::{Applied, ContactRecord, Order},
    store::ContentDelta,
};

use super::{
    RowClass,
    classify::{Marks, classify},
    pending::{WriteRequest, WriteResult},
};
use crate::contact::pages::Written;

/// The rows of several requests, folded to one row per document: the one of highest order.
pub(super) struct Batch {
    /// Rows per request, to hand the classes back.
    lengths: Vec<usize>,
    /// For every row: index of its document's winner, if it is written, and its own order.
    rows: Vec<(Option<usize>, Order)>,
    /// Document and order of each row that is written.
    pub winners: Vec<(Document, Order)>,
    bodies: Vec<ContactBody>,
}

impl Batch {
    /// Rows of requests before `first_request` are not written: a clear was accepted later. Nor are those of
    /// the contacts that `stay`.
    pub fn of(
        requests: &mut [WriteRequest],
        numbers: &[i64],
        first_request: i64,
        stay: &BTreeSet<Document>,
    ) -> Self {
        let total = requests.iter().map(|r| r.rows.len()).sum();
        let mut index = HashMap::with_capacity(total);
        let mut batch = Self {
            lengths: requests.iter().map(|r| r.rows.len()).collect(),
            rows: Vec::with_capacity(total),
            winners: Vec::with_capacity(total),
            bodies: Vec::with_capacity(total),
        };
        for (request, number) in requests.iter_mut().zip(numbers) {
            for row in std::mem::take(&mut request.rows) {
                let order = Order::new(*number, row.row);
                if *number < first_request || stay.contains(&row.document) {
                    batch.rows.push((None, order));
                    continue;
                }
                let next = batch.winners.len();
                let at = *index.entry(row.document.clone()).or_insert(next);
                batch.rows.push((Some(at), order));
                match (batch.winners.get_mut(at), batch.bodies.get_mut(at)) {
                    (Some(winner), Some(body)) => {
                        if winner.1 <= order {
                            winner.1 = order;
                            *body = row.body;
                        }
                    }
                    _ => {
                        batch.winners.push((row.document, order));
                        batch.bodies.push(row.body);
                    }
                }
            }
        }
        batch
    }

    pub fn take_winners(&mut self) -> Vec<ContactRecord> {
        let bodies = std::mem::take(&mut self.bodies);
        let write = |((document, order), body): (&(Document, Order), ContactBody)| ContactRecord {
            document: document.clone(),
            order: *order,
            body,
        };
        self.winners.iter().zip(bodies).map(write).collect()
    }

    /// Classes of all rows, and by how much each winner changed the count. Of several rows of one document, the first that is newer than what was
    /// stored has the effect; the later ones update it, the older ones change nothing.
    pub fn classify(
        &self,
        marks: &Marks,
        write: WriteNo,
        applied: &[Applied],
        delta: &mut ContentDelta,
    ) -> (Vec<RowClass>, Vec<i64>) {
        let mut shifts = Vec::with_capacity(self.winners.len());
        let mut effects: Vec<(RowClass, Option<Order>)> = self
            .winners
            .iter()
            .zip(applied)
            .map(|((document, order), a)| {
                let before = delta.contacts;
                let effect = classify(marks, write, document, *order, *a, delta);
                shifts.push(delta.contacts - before);
                effect
            })
            .collect();
        let mut by_order: Vec<usize> = (0..self.rows.len()).collect();
        by_order.sort_by_key(|i| self.rows.get(*i).map(|(_, order)| *order));
        let mut classes = vec![RowClass::Superseded; self.rows.len()];
        for i in by_order {
            let Some((at, order)) = self.rows.get(i) else {
                continue;
            };
            let Some((class, previous)) = at.and_then(|at| effects.get_mut(at)) else {
                continue;
            };
            let older = previous.is_some_and(|p| *order <= p);
            if let Some(slot) = classes.get_mut(i) {
                *slot = if older { RowClass::Unchanged } else { *class };
            }
            if older {
                continue;
            }
            if *class == RowClass::Inserted {
                *class = RowClass::Updated;
            }
        }
        (classes, shifts)
    }

    /// The documents for page indexes.
    pub fn written(&self, shifts: &[i64]) -> Vec<Written<'_>> {
        let winners = self.winners.iter().zip(shifts);
        winners
            .map(|((document, _), shift)| Written::by(document, *shift))
            .collect()
    }

    pub fn results(
        &self,
        classes: Vec<RowClass>,
        contacts: i64,
        numbers: &[i64],
    ) -> Vec<WriteResult> {
        let mut classes = classes.into_iter();
        let of = |(length, number): (&usize, &i64)| WriteResult {
            request: *number,
            classes: classes.by_ref().take(*length).collect(),
            contacts,
        };
        self.lengths.iter().zip(numbers).map(of).collect()
    }
}
