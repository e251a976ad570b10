//! Long operations, and what is remembered of requests.

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
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

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};

    idempotency (workspace, method, path, key) {
        workspace -> Text,
        method -> Text,
        path -> Text,
        key -> Text,
        content -> Binary,
        write_id -> BigInt,
        created_at -> UtcMillis,
        lease_until -> UtcMillis,
        status -> Nullable<Integer>,
        headers -> Nullable<Doc>,
        body -> Nullable<Binary>,
    }
}

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::BigInt;

    receipts (write_id) {
        write_id -> BigInt,
        result -> Doc,
        created_at -> UtcMillis,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{Binary, Text};

    api_keys (key_sha256) {
        key_sha256 -> Binary,
        workspace -> Text,
        key_id -> Text,
        created_at -> UtcMillis,
    }
}

diesel::allow_tables_to_appear_in_same_query!(operations, operation_turns);
