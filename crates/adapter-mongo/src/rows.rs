//! What is stored. Field names are short because each document repeats them.

use domain::{
    contact::Document,
    recycle::Reasons,
    shared::{RemovalNo, WorkspaceId, WriteNo},
};
use mongodb::bson::{RawDocumentBuf, raw::cstr, rawdoc};
use ports::{
    StoreError,
    contacts::{ContactRecord, ContentKey, Order, Tombstone},
};
use serde::Deserialize;

use crate::{body, keys};

/// Collection of contacts.
pub(crate) const CONTACTS: &str = "contacts";
/// Collection of tombstones.
pub(crate) const TOMBSTONES: &str = "tombstones";
/// Collection of page indexes.
pub(crate) const PAGE_INDEXES: &str = "page_indexes";

/// Stands for "nothing was replaced".
const NOTHING: i64 = -1;

/// A contact as stored.
#[derive(Debug, Clone)]
pub struct ContactRow {
    /// Key.
    pub id: String,
    /// The person's document, for look-ups across audiences.
    pub document: String,
    /// Workspace.
    pub workspace: String,
    /// Order of acceptance.
    pub seq: i64,
    /// Order of what the last write replaced; -1 for nothing.
    pub previous: i64,
    /// The last write.
    pub write: i64,
    /// Values.
    pub body: RawDocumentBuf,
}

impl ContactRow {
    pub(crate) fn new(
        key: ContentKey,
        workspace: &WorkspaceId,
        write: WriteNo,
        row: &ContactRecord,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            id: keys::contact(key, &row.document),
            document: row.document.as_str().to_owned(),
            workspace: workspace.to_string(),
            seq: row.order.0,
            previous: NOTHING,
            write: write.0,
            body: body::encode(&row.body)?,
        })
    }

    /// The document as it is inserted.
    pub fn to_raw(&self) -> RawDocumentBuf {
        let mut raw = RawDocumentBuf::new();
        raw.append(cstr!("_id"), self.id.as_str());
        raw.append(cstr!("d"), self.document.as_str());
        self.append_values(&mut raw, self.previous);
        raw
    }

    /// The update command's entry that puts this row in the place of the one of order `over`.
    pub fn to_update(&self, over: i64) -> RawDocumentBuf {
        let mut set = RawDocumentBuf::new();
        self.append_values(&mut set, over);
        rawdoc! {
            "q": { "_id": self.id.as_str(), "s": over },
            "u": { "$set": set },
        }
    }

    /// What a later write replaces.
    fn append_values(&self, raw: &mut RawDocumentBuf, previous: i64) {
        raw.append(cstr!("k"), self.workspace.as_str());
        raw.append(cstr!("s"), self.seq);
        raw.append(cstr!("p"), previous);
        raw.append(cstr!("w"), self.write);
        raw.append(cstr!("b"), &self.body);
    }
}

/// A tombstone as stored.
#[derive(Debug, Clone)]
pub struct TombstoneRow {
    /// Key.
    pub id: String,
    /// The removal.
    pub removal: i64,
    /// Highest order that it hides.
    pub seq: i64,
    /// Reasons as bits.
    pub reasons: i64,
    /// Reasons that were counted, as bits.
    pub counted: i64,
    /// The run that marked it.
    pub run: i64,
}

impl TombstoneRow {
    pub(crate) fn new(key: ContentKey, stone: &Tombstone) -> Self {
        Self {
            id: keys::tombstone(key, &stone.document, stone.removal.0),
            removal: stone.removal.0,
            seq: stone.order.0,
            reasons: stone.reasons.bits(),
            counted: stone.counted.bits(),
            run: stone.run,
        }
    }

    /// The document as it is inserted.
    pub fn to_raw(&self) -> RawDocumentBuf {
        rawdoc! {
            "_id": self.id.as_str(),
            "r": self.removal,
            "s": self.seq,
            "x": self.reasons,
            "c": self.counted,
            "n": self.run,
        }
    }

    /// The update command's entry that replaces one that hides no more than this.
    pub(crate) fn to_update(&self) -> RawDocumentBuf {
        rawdoc! {
            "q": { "_id": self.id.as_str(), "s": { "$lte": self.seq } },
            "u": { "$set": {
                "s": self.seq,
                "x": self.reasons,
                "c": self.counted,
                "n": self.run,
            } },
        }
    }
}

/// A contact as read. Fields that a projection leaves out are at their defaults.
#[derive(Deserialize)]
pub(crate) struct Found {
    #[serde(rename = "_id")]
    pub id: String,
    #[serde(rename = "s", default)]
    pub seq: i64,
    #[serde(rename = "p", default)]
    pub previous: i64,
    #[serde(rename = "w", default)]
    pub write: i64,
    #[serde(rename = "b", default)]
    pub body: RawDocumentBuf,
}

impl Found {
    pub fn document(&self) -> Result<Document, StoreError> {
        keys::document_of_contact(&self.id)
    }

    pub fn contact(self) -> Result<ContactRecord, StoreError> {
        Ok(ContactRecord {
            document: self.document()?,
            order: Order(self.seq),
            body: body::decode(&self.body)?,
        })
    }
}

/// The order that a row replaced, if it replaced any.
pub(crate) fn replaced(previous: i64) -> Option<Order> {
    (previous != NOTHING).then_some(Order(previous))
}

/// A tombstone as read.
#[derive(Deserialize)]
pub(crate) struct FoundStone {
    #[serde(rename = "_id")]
    pub id: String,
    #[serde(rename = "r")]
    pub removal: i64,
    #[serde(rename = "s")]
    pub seq: i64,
    #[serde(rename = "x", default)]
    pub reasons: i64,
    #[serde(rename = "c", default)]
    pub counted: i64,
    #[serde(rename = "n", default)]
    pub run: i64,
}

impl FoundStone {
    /// Key of the contact.
    pub fn contact_id(&self) -> &str {
        keys::contact_of_tombstone(&self.id)
    }

    pub fn tombstone(self) -> Result<Tombstone, StoreError> {
        Ok(Tombstone {
            document: keys::document_of_tombstone(&self.id)?,
            removal: RemovalNo(self.removal),
            order: Order(self.seq),
            reasons: Reasons::from_bits(self.reasons),
            counted: Reasons::from_bits(self.counted),
            run: self.run,
        })
    }
}
