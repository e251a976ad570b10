//! Statements that run once per row: prepared once per connection, with nothing built per call.

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Nullable, Text},
    sqlite::{Sqlite, SqliteConnection},
};

/// Defines a statement with a fixed text: its binds in order, and the types of the columns it answers.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident($($field:ident: $rust:ty as $sql:ty),+ $(,)?) -> $columns:ty, $text:literal) => {
        $(#[$doc])*
        pub(super) struct $name<'a> {
            $(pub $field: $rust,)+
            pub lifetime: std::marker::PhantomData<&'a ()>,
        }

        impl QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl QueryFragment<Sqlite> for $name<'_> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                // `?` stands for the next bind in the text; Diesel numbers them the same way.
                let mut parts = $text.split('?');
                out.push_sql(parts.next().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    out.push_sql(parts.next().unwrap_or_default());
                )+
                Ok(())
            }
        }

        impl Query for $name<'_> {
            type SqlType = $columns;
        }

        impl RunQueryDsl<SqliteConnection> for $name<'_> {}
    };
}

statement!(
    /// Stores a contact where its order is above what is there. Answers the order it replaced, -1 for
    /// none, and no row where nothing changed.
    Upsert(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
        seq: i64 as BigInt,
        write_no: i64 as BigInt,
        workspace: &'a str as Text,
        body: &'a str as Text,
    ) -> BigInt,
    "INSERT INTO contacts (audience, epoch, document, seq, previous, write_no, workspace, body) \
     VALUES (?, ?, ?, ?, -1, ?, ?, ?) \
     ON CONFLICT (audience, epoch, document) DO UPDATE SET \
     previous = contacts.seq, seq = excluded.seq, write_no = excluded.write_no, \
     workspace = excluded.workspace, body = excluded.body \
     WHERE excluded.seq > contacts.seq RETURNING previous"
);

statement!(
    /// Order, what it replaced, and the write of a stored contact.
    Stored(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
    ) -> (BigInt, BigInt, BigInt),
    "SELECT seq, previous, write_no FROM contacts \
     WHERE audience = ? AND epoch = ? AND document = ?"
);

statement!(
    /// A stored contact.
    StoredBody(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
    ) -> (BigInt, Text),
    "SELECT seq, body FROM contacts WHERE audience = ? AND epoch = ? AND document = ?"
);

statement!(
    /// Keys and orders behind a document.
    Keys(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        after: &'a str as Text,
        limit: i64 as BigInt,
    ) -> (Text, BigInt),
    "SELECT document, seq FROM contacts \
     WHERE audience = ? AND epoch = ? AND document > ? ORDER BY document LIMIT ?"
);

statement!(
    /// Contacts behind a document.
    Contacts(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        after: &'a str as Text,
        limit: i64 as BigInt,
    ) -> (Text, BigInt, Text),
    "SELECT document, seq, body FROM contacts \
     WHERE audience = ? AND epoch = ? AND document > ? ORDER BY document LIMIT ?"
);

statement!(
    /// Tombstones behind a document and up to another.
    StonesBetween(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        after: &'a str as Text,
        until: &'a str as Text,
    ) -> (Text, BigInt, BigInt),
    "SELECT document, removal, seq FROM tombstones \
     WHERE audience = ? AND epoch = ? AND document > ? AND document <= ? ORDER BY document"
);

statement!(
    /// How many contacts there are behind a document, up to a number of them, and the last one's key.
    Count(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        after: &'a str as Text,
        limit: i64 as BigInt,
    ) -> (BigInt, Nullable<Text>),
    "SELECT count(*), max(document) FROM (SELECT document FROM contacts \
     WHERE audience = ? AND epoch = ? AND document > ? ORDER BY document LIMIT ?)"
);

statement!(
    /// As [`Count`], up to a document.
    CountUntil(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        after: &'a str as Text,
        until: &'a str as Text,
        limit: i64 as BigInt,
    ) -> (BigInt, Nullable<Text>),
    "SELECT count(*), max(document) FROM (SELECT document FROM contacts \
     WHERE audience = ? AND epoch = ? AND document > ? AND document <= ? \
     ORDER BY document LIMIT ?)"
);

statement!(
    /// Stores a tombstone; an older one of the same removal gives way, a newer one stays.
    Entomb(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
        removal: i64 as BigInt,
        seq: i64 as BigInt,
        reasons: i64 as BigInt,
        counted: i64 as BigInt,
        run: i64 as BigInt,
    ) -> BigInt,
    "INSERT INTO tombstones (audience, epoch, document, removal, seq, reasons, counted, run) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (audience, epoch, document, removal) DO UPDATE SET \
     seq = excluded.seq, reasons = excluded.reasons, counted = excluded.counted, \
     run = excluded.run WHERE excluded.seq >= tombstones.seq"
);

statement!(
    /// The tombstones of a document.
    Stones(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
    ) -> (BigInt, BigInt, BigInt, BigInt, BigInt),
    "SELECT removal, seq, reasons, counted, run FROM tombstones \
     WHERE audience = ? AND epoch = ? AND document = ?"
);

statement!(
    /// Deletes a contact whose order is not above what a removal saw.
    DeleteHidden(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
        seq: i64 as BigInt,
    ) -> BigInt,
    "DELETE FROM contacts WHERE audience = ? AND epoch = ? AND document = ? AND seq <= ?"
);

statement!(
    /// Deletes a tombstone.
    DeleteStone(
        audience: i64 as BigInt,
        epoch: i64 as BigInt,
        document: &'a str as Text,
        removal: i64 as BigInt,
    ) -> BigInt,
    "DELETE FROM tombstones \
     WHERE audience = ? AND epoch = ? AND document = ? AND removal = ?"
);
