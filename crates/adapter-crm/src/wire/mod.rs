//! What the CRM sends: page envelopes and rows. Read tolerantly where nothing is lost by it, strictly where
//! guessing would change the meaning.

mod envelope;
mod fields;
mod rows;

use domain::importing::{
    ExternalId, Fault, Fingerprint, Page,
    rows::{Entity, Quarantined, Row},
};
use serde_json::Value;

use envelope::Envelope;
use fields::Fields;

/// Stable code of what is no page, in snake_case.
pub type Malformed = &'static str;

/// A row as it is sent.
pub trait Wire: Entity + Sized {
    /// The member that holds its id.
    const ID: &'static str = "id";

    /// Reads the members of a row. Parts of it that cannot be read go to `quarantined`.
    ///
    /// # Errors
    /// The first member without which the row has no meaning.
    fn read(fields: &mut Fields<'_>, quarantined: &mut Vec<Quarantined>) -> Result<Self, Fault>;
}

/// Reads the body of a page.
///
/// # Errors
/// Whenever it is not certain which rows it delivers.
pub fn page<T: Wire>(body: &[u8]) -> Result<Page<T>, Malformed> {
    let Envelope { rows, totals } = Envelope::parse(body)?;
    let mut page = read(rows);
    page.totals = totals;
    Ok(page)
}

/// Reads rows.
pub fn read<T: Wire>(rows: Vec<Value>) -> Page<T> {
    let mut page = Page::default();
    for raw in rows {
        match read_one(&raw) {
            Ok((value, parts)) => {
                parts.into_iter().for_each(|part| page.quarantine(part));
                let fingerprint = Fingerprint::of(&raw);
                page.add(Row { value, fingerprint });
            }
            Err((id, fault)) => page.quarantine(Quarantined {
                kind: T::KIND,
                id,
                fault,
                raw,
            }),
        }
    }
    page
}

/// A row with its unreadable parts; or its id, where that can be read, with what is wrong.
type Read<T> = Result<(T, Vec<Quarantined>), (Option<ExternalId>, Fault)>;

fn read_one<T: Wire>(raw: &Value) -> Read<T> {
    let Value::Object(members) = raw else {
        return Err((None, Fault::new("", "not_an_object")));
    };
    let mut parts = Vec::new();
    match T::read(&mut Fields::new(members), &mut parts) {
        Ok(value) => Ok((value, parts)),
        Err(fault) => {
            let id = members.get(T::ID);
            Err((id.and_then(|id| ExternalId::parse(id).ok()), fault))
        }
    }
}

/// Reads the parts of a row; those that cannot be read go to `quarantined`.
fn read_parts<T: Wire>(parts: Vec<Value>, quarantined: &mut Vec<Quarantined>) -> Vec<T> {
    let mut page = read::<T>(parts);
    quarantined.extend_from_slice(page.quarantined());
    let rows = page.take_rows().into_iter();
    rows.map(|row| row.value).collect()
}

#[cfg(test)]
mod tests;
