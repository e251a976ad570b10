//! Parts of a workbook and how they refer to each other.

use std::collections::HashMap;
use std::io::{Read, Seek};

use ports::files::{FileError, RecordLimits};
use quick_xml::events::BytesStart;

use super::archive::{Entry, Part, damaged, entries, part_name};
use super::xml::{Node, Xml, attribute};

/// Bytes of the small parts and number of their items, beyond any real workbook.
pub(super) const SMALL_PART_BYTES: u64 = 32 << 20;
const MAX_ITEMS: usize = 100_000;

/// The parts of an archive and what was unpacked of them.
pub(super) struct Package<R> {
    source: R,
    entries: HashMap<String, Entry>,
    limits: RecordLimits,
    used: u64,
}

/// What a part says about another one.
pub(super) struct Relation {
    pub(super) id: String,
    kind: String,
    pub(super) path: String,
}

impl Relation {
    /// Whether the last step of its type, which differs between editions of the standard before
    /// that, is `kind`.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.rsplit('/').next() == Some(kind)
    }
}

impl<R: Read + Seek> Package<R> {
    pub(super) fn open(source: R, limits: &RecordLimits) -> Result<Self, FileError> {
        let (source, entries) = entries(source)?;
        Ok(Self {
            source,
            entries,
            limits: *limits,
            used: 0,
        })
    }

    pub(super) fn entry(&self, path: &str) -> Option<Entry> {
        self.entries.get(path).copied()
    }

    /// The source, and how many bytes were unpacked.
    pub(super) fn into_source(self) -> (R, u64) {
        (self.source, self.used)
    }

    /// Reads a part if there is one.
    pub(super) fn read<T: Default>(
        &mut self,
        path: &str,
        part_bytes: u64,
        read: impl FnOnce(&mut Xml<Part<&mut R>>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let Some(entry) = self.entries.get(path) else {
            return Ok(T::default());
        };
        let limit = self
            .limits
            .unpacked_bytes
            .min(self.used.saturating_add(part_bytes));
        let part = Part::open(&mut self.source, *entry, limit, self.used)?;
        let mut xml = Xml::new(part, self.limits.record_bytes);
        let content = read(&mut xml)?;
        self.used = xml.part().used();
        Ok(content)
    }

    /// What a part refers to inside the archive; `""` is the archive itself.
    pub(super) fn relations(&mut self, of: &str) -> Result<Vec<Relation>, FileError> {
        let (folder, name) = of.rsplit_once('/').unwrap_or(("", of));
        let path = part_name(folder, &format!("_rels/{name}.rels"));
        self.read(&path, SMALL_PART_BYTES, |xml| {
            let mut relations = Vec::new();
            each_element(xml, |name, element| {
                let get = |name: &[u8]| attribute(element, name).unwrap_or_default();
                if name == b"Relationship" && get(b"TargetMode") != "External" {
                    relations.push(Relation {
                        id: get(b"Id"),
                        kind: get(b"Type"),
                        path: part_name(folder, &get(b"Target")),
                    });
                }
                relations.len()
            })?;
            Ok(relations)
        })
    }
}

/// Visits every element of a part; the visitor tells how many items it keeps.
pub(super) fn each_element<R: Read>(
    xml: &mut Xml<R>,
    mut visit: impl FnMut(&[u8], &BytesStart<'_>) -> usize,
) -> Result<(), FileError> {
    loop {
        match xml.next(0)? {
            Node::Eof => return Ok(()),
            Node::Start(element) if visit(element.local_name().as_ref(), &element) > MAX_ITEMS => {
                return Err(damaged(0, "a part has too many items"));
            }
            _ => {}
        }
    }
}
