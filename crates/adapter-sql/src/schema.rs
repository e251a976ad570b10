//! The tables as both databases have them. Written by hand; a test compares it with the migrations.

pub(crate) mod customers;
pub(crate) mod feed;
pub(crate) mod requests;

diesel::table! {
    /// Tenants that were seen.
    workspaces (id) {
        id -> Text,
        last_number -> BigInt,
    }
}

diesel::table! {
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Nullable, Text};

    audiences (id) {
        id -> BigInt,
        workspace -> Text,
        number -> BigInt,
        name -> Text,
        name_key -> Text,
        tags -> Doc,
        tags_key -> Text,
        status -> Text,
        kind -> Text,
        source_id -> Text,
        collection -> Text,
        visibility -> Text,
        version -> BigInt,
        epoch -> BigInt,
        last_epoch -> BigInt,
        contacts -> BigInt,
        created_by -> Text,
        created_at -> UtcMillis,
        updated_at -> UtcMillis,
        deleted_at -> Nullable<UtcMillis>,
    }
}

diesel::table! {
    use crate::types::Doc;
    use diesel::sql_types::{BigInt, Nullable};

    audience_contents (audience, epoch) {
        audience -> BigInt,
        epoch -> BigInt,
        contacts -> BigInt,
        next_request -> BigInt,
        first_request -> BigInt,
        next_removal -> BigInt,
        revision -> BigInt,
        active -> Doc,
        open_write -> Nullable<BigInt>,
    }
}

diesel::table! {
    use crate::types::UtcMillis;
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};

    write_intents (write_no) {
        write_no -> BigInt,
        audience -> BigInt,
        epoch -> BigInt,
        owner -> Text,
        lease_until -> UtcMillis,
        ended_revision -> Nullable<BigInt>,
        first_request -> BigInt,
        requests -> BigInt,
        documents -> Binary,
    }
}

diesel::table! {
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Nullable, Text};

    removals (audience, epoch, no) {
        audience -> BigInt,
        epoch -> BigInt,
        no -> BigInt,
        operation -> BigInt,
        state -> Text,
        hidden -> BigInt,
        by_reason -> Doc,
        active_since -> Nullable<UtcMillis>,
        began_revision -> BigInt,
    }
}

diesel::table! {
    use crate::types::UtcMillis;
    use diesel::sql_types::{BigInt, Text};

    /// Audiences that a request is making.
    creations (audience) {
        audience -> BigInt,
        workspace -> Text,
        write_id -> BigInt,
        lease_until -> UtcMillis,
    }
}

diesel::table! {
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

    operations (id) {
        id -> BigInt,
        write_id -> BigInt,
        workspace -> Text,
        audience -> Nullable<BigInt>,
        after_uploads_of -> Nullable<BigInt>,
        kind -> Text,
        exclusive -> Bool,
        state -> Text,
        reason -> Nullable<Text>,
        result -> Nullable<Text>,
        done -> BigInt,
        total -> Nullable<BigInt>,
        report -> Nullable<Doc>,
        error -> Nullable<Doc>,
        attempt -> Integer,
        params -> Doc,
        checkpoint -> Doc,
        cancel_requested -> Bool,
        created_by -> Text,
        created_at -> UtcMillis,
        started_at -> Nullable<UtcMillis>,
        finished_at -> Nullable<UtcMillis>,
        undone_at -> Nullable<UtcMillis>,
        undo_until -> Nullable<UtcMillis>,
        not_before -> Nullable<UtcMillis>,
        owner -> Nullable<Text>,
        fence -> BigInt,
        lease_until -> Nullable<UtcMillis>,
        claims -> Integer,
        traceparent -> Nullable<Text>,
    }
}

diesel::table! {
    /// When each workspace was served last, for workers to take turns.
    operation_turns (workspace) {
        workspace -> Text,
        turn -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    audiences,
    audience_contents,
    write_intents,
    removals
);
diesel::allow_tables_to_appear_in_same_query!(operations, operation_turns);
