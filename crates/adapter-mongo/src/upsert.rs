//! Writing contacts: inserts first, then the few that exist, by the order that was read of them.

use std::collections::HashMap;

use domain::shared::WriteNo;
use ports::{
    StoreError,
    contacts::{Applied, Order},
};

use crate::{
    batches,
    connect::MongoContacts,
    reads,
    rows::{CONTACTS, ContactRow, Found, replaced},
};

/// Looks at rows that changed between a read and the update.
const ROUNDS: usize = 5;

/// Stores rows of one write, of distinct keys; answers what became of each, in the order given.
pub(crate) async fn upsert(
    store: &MongoContacts,
    write: WriteNo,
    rows: &[ContactRow],
    in_flight: usize,
) -> Result<Vec<Applied>, StoreError> {
    let contacts = store.contacts();
    let mut open = batches::insert(&contacts, rows, ContactRow::to_raw, in_flight).await?;
    let mut applied = vec![Applied::Inserted; rows.len()];
    // Rows that an update of this call was sent for: what it stored is no repetition.
    let mut sent = vec![false; rows.len()];
    for _ in 0..ROUNDS {
        if open.is_empty() {
            return Ok(applied);
        }
        let stored = stored(store, rows, &open, in_flight).await?;
        let (mut updates, mut missed) = (Vec::new(), Vec::new());
        for at in open {
            let (Some(row), Some(applied), Some(sent)) =
                (rows.get(at), applied.get_mut(at), sent.get_mut(at))
            else {
                continue;
            };
            match stored.get(row.id.as_str()) {
                Some(there) if there.seq < row.seq => {
                    updates.push(row.to_update(there.seq));
                    *applied = Applied::Replaced(Order(there.seq));
                    *sent = true;
                    missed.push(at);
                }
                Some(there) => *applied = settled(there, row, write, *sent),
                // Purged between the insert and the read; the next round inserts it.
                None => missed.push(at),
            }
        }
        let met = batches::update(&store.database, CONTACTS, &updates, in_flight).await?;
        let all = missed.len() == updates.len();
        if all && usize::try_from(met).is_ok_and(|met| met == updates.len()) {
            return Ok(applied);
        }
        open = insert_missing(store, rows, &mut applied, missed, &stored).await?;
    }
    Err(StoreError::Unavailable(
        "another writer keeps changing the same contacts".into(),
    ))
}

/// Inserts the rows of `missed` that were not there; answers the others, and those that are there by now.
async fn insert_missing(
    store: &MongoContacts,
    rows: &[ContactRow],
    applied: &mut [Applied],
    missed: Vec<usize>,
    stored: &HashMap<String, Found>,
) -> Result<Vec<usize>, StoreError> {
    let there = |at: &usize| {
        rows.get(*at)
            .is_some_and(|row| stored.contains_key(&row.id))
    };
    let (mut open, absent): (Vec<usize>, Vec<usize>) = missed.into_iter().partition(there);
    let missing: Vec<&ContactRow> = absent.iter().filter_map(|at| rows.get(*at)).collect();
    let met = batches::insert(&store.contacts(), &missing, |row| row.to_raw(), 1).await?;
    for (position, at) in absent.into_iter().enumerate() {
        if met.binary_search(&position).is_ok() {
            open.push(at);
        } else if let Some(applied) = applied.get_mut(at) {
            *applied = Applied::Inserted;
        }
    }
    open.sort_unstable();
    Ok(open)
}

async fn stored(
    store: &MongoContacts,
    rows: &[ContactRow],
    open: &[usize],
    in_flight: usize,
) -> Result<HashMap<String, Found>, StoreError> {
    let ids: Vec<String> = open
        .iter()
        .filter_map(|at| rows.get(*at).map(|row| row.id.clone()))
        .collect();
    let found = reads::orders(store, ids, in_flight).await?;
    Ok(found.into_iter().map(|row| (row.id.clone(), row)).collect())
}

/// What became of a row whose key holds the same or a higher order.
fn settled(there: &Found, row: &ContactRow, write: WriteNo, sent: bool) -> Applied {
    if there.seq > row.seq {
        return Applied::Superseded;
    }
    let previous = replaced(there.previous);
    match previous {
        Some(previous) if sent && there.write == write.0 => Applied::Replaced(previous),
        previous => Applied::Repeated {
            previous,
            by: WriteNo(there.write),
        },
    }
}
