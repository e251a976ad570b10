//! What a write did to each row, and to the exact count.

use std::collections::HashMap;

use domain::{
    contact::Document,
    recycle::Reason,
    shared::{RemovalNo, WriteNo},
};
use ports::{
    contacts::{Applied, Order, Tombstone, View},
    store::ContentDelta,
};

/// What became of one row, as a report counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowClass {
    /// It made a contact visible.
    Inserted,
    /// It replaced a visible contact.
    Updated,
    /// A later write was there already.
    Unchanged,
    /// A removal that was accepted later had removed it already.
    Superseded,
}

impl RowClass {
    /// The class as the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inserted => "inserted",
            Self::Updated => "updated",
            Self::Unchanged | Self::Superseded => "unchanged",
        }
    }
}

/// Rows by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Rows that made a contact visible.
    pub inserted: i64,
    /// Rows that replaced a visible contact.
    pub updated: i64,
    /// Rows that changed nothing.
    pub unchanged: i64,
}

impl WriteCounts {
    /// Counts one more row.
    pub fn add(&mut self, class: RowClass) {
        match class {
            RowClass::Inserted => self.inserted += 1,
            RowClass::Updated => self.updated += 1,
            RowClass::Unchanged | RowClass::Superseded => self.unchanged += 1,
        }
    }
}

impl FromIterator<RowClass> for WriteCounts {
    fn from_iter<I: IntoIterator<Item = RowClass>>(classes: I) -> Self {
        let mut counts = Self::default();
        classes.into_iter().for_each(|class| counts.add(class));
        counts
    }
}

/// The tombstones that count for a set of documents.
pub(crate) struct Marks {
    by_document: HashMap<Document, Vec<Mark>>,
}

struct Mark {
    removal: RemovalNo,
    order: Order,
    /// It is permanent and keeps out someone who opted out.
    withholds: bool,
}

impl Marks {
    /// Keeps the tombstones of active removals and of the permanent one.
    pub fn new(tombstones: Vec<Tombstone>, view: &View) -> Self {
        let mut by_document: HashMap<Document, Vec<_>> = HashMap::new();
        for stone in tombstones {
            let counts =
                stone.removal == RemovalNo::PERMANENT || view.removals.contains(&stone.removal);
            if counts {
                let permanent = stone.removal == RemovalNo::PERMANENT;
                by_document.entry(stone.document).or_default().push(Mark {
                    removal: stone.removal,
                    order: stone.order,
                    withholds: permanent && stone.reasons.contains(Reason::OptedOut),
                });
            }
        }
        Self { by_document }
    }

    /// The removal that hides a contact of this order, if one does. Of two that do, the permanent one:
    /// it came first, while the other was being prepared, and the other does not count the contact.
    /// Unless it withholds who opted out: then an undo of the other was cut off before its flip.
    pub fn hider(&self, document: &Document, order: Order) -> Option<RemovalNo> {
        let stones = self.by_document.get(document)?;
        stones
            .iter()
            .filter(|stone| stone.order >= order)
            .min_by_key(|stone| (stone.withholds, stone.removal))
            .map(|stone| stone.removal)
    }
}

/// Effect of writing `order` over `previous`: the row's class, and what it adds to the delta.
fn effect(
    marks: &Marks,
    document: &Document,
    order: Order,
    previous: Option<Order>,
    delta: Option<&mut ContentDelta>,
) -> RowClass {
    let visible_after = marks.hider(document, order).is_none();
    let hidden_before = previous.map(|p| marks.hider(document, p));
    let visible_before = matches!(hidden_before, Some(None));
    if let Some(delta) = delta {
        delta.contacts += i64::from(visible_after) - i64::from(visible_before);
        if let (true, Some(Some(removal))) = (visible_after, hidden_before) {
            revive(delta, removal);
        }
    }
    match (visible_before, visible_after) {
        (_, false) => RowClass::Superseded,
        (true, true) => RowClass::Updated,
        (false, true) => RowClass::Inserted,
    }
}

fn revive(delta: &mut ContentDelta, removal: RemovalNo) {
    if removal == RemovalNo::PERMANENT {
        return;
    }
    match delta.revived.iter_mut().find(|(r, _)| *r == removal) {
        Some((_, count)) => *count += 1,
        None => delta.revived.push((removal, 1)),
    }
}

/// Class of the row that was written, and its part of the delta. Work of an earlier run of the same
/// rows was counted by the write that did it (`by`), or by its repair.
pub(crate) fn classify(
    marks: &Marks,
    write: WriteNo,
    document: &Document,
    order: Order,
    applied: Applied,
    delta: &mut ContentDelta,
) -> (RowClass, Option<Order>) {
    match applied {
        Applied::Inserted => (effect(marks, document, order, None, Some(delta)), None),
        Applied::Replaced(previous) => (
            effect(marks, document, order, Some(previous), Some(delta)),
            Some(previous),
        ),
        Applied::Repeated { previous, by } => {
            let counts = (by == write).then_some(delta);
            (effect(marks, document, order, previous, counts), previous)
        }
        Applied::Superseded => (RowClass::Unchanged, Some(Order(i64::MAX))),
    }
}

/// Adds to the delta what an interrupted write did to one document.
pub(crate) fn account(
    marks: &Marks,
    document: &Document,
    order: Order,
    previous: Option<Order>,
    delta: &mut ContentDelta,
) {
    effect(marks, document, order, previous, Some(delta));
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recycle::Reasons;

    fn document(text: &str) -> Document {
        Document::parse(text).unwrap()
    }

    fn marks(stones: &[(i64, i64)], active: &[i64]) -> Marks {
        let stones = stones.iter().map(|(removal, order)| {
            let (removal, order) = (RemovalNo(*removal), Order(*order));
            Tombstone::uncounted(document("a"), removal, order, Reasons::NONE)
        });
        let view = View {
            removals: active.iter().map(|n| RemovalNo(*n)).collect(),
        };
        Marks::new(stones.collect(), &view)
    }

    fn run(marks: &Marks, order: i64, applied: Applied) -> (RowClass, ContentDelta) {
        let mut delta = ContentDelta::default();
        let write = WriteNo(7);
        let (class, _) = classify(
            marks,
            write,
            &document("a"),
            Order(order),
            applied,
            &mut delta,
        );
        (class, delta)
    }

    #[test]
    fn a_rewritten_hidden_contact_counts_as_inserted_and_is_taken_from_its_removal() {
        let hidden = marks(&[(1, 5)], &[1]);
        let (class, delta) = run(&hidden, 6, Applied::Replaced(Order(5)));
        assert_eq!(class, RowClass::Inserted);
        assert_eq!(
            delta,
            ContentDelta {
                contacts: 1,
                revived: vec![(RemovalNo(1), 1)]
            }
        );
    }

    #[test]
    fn a_withdrawn_removal_hides_nothing() {
        let (class, delta) = run(&marks(&[(1, 5)], &[]), 6, Applied::Replaced(Order(5)));
        assert_eq!((class, delta), (RowClass::Updated, ContentDelta::default()));
    }

    #[test]
    fn a_late_row_of_lower_order_than_the_removal_stays_hidden() {
        let (class, delta) = run(&marks(&[(0, 9)], &[]), 6, Applied::Replaced(Order(5)));
        assert_eq!(
            (class, delta),
            (RowClass::Superseded, ContentDelta::default())
        );
    }

    #[test]
    fn an_earlier_run_is_classified_again_but_not_counted_again() {
        let none = marks(&[], &[]);
        let repeated = |by| Applied::Repeated {
            previous: None,
            by: WriteNo(by),
        };
        assert_eq!(
            run(&none, 6, repeated(3)),
            (RowClass::Inserted, ContentDelta::default())
        );
        let (_, counted) = run(&none, 6, repeated(7));
        assert_eq!(counted.contacts, 1);
    }
}
