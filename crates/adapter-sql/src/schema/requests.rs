//! Events on their way, and what is remembered of requests.

diesel::table! {
    use crate::types::UtcMillis;
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};

    outbox (seq) {
        seq -> BigInt,
        event_id -> Text,
        event_type -> Text,
        aggregate -> Text,
        aggregate_version -> BigInt,
        workspace -> Text,
        payload -> Binary,
        added_at -> UtcMillis,
        due -> UtcMillis,
        attempts -> Integer,
        sent_at -> Nullable<UtcMillis>,
        error -> Nullable<Text>,
        traceparent -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::types::UtcMillis;
    use diesel::sql_types::{BigInt, Binary, Integer, Text};

    inbox (seq) {
        seq -> BigInt,
        subscription -> Text,
        event_id -> Text,
        event_type -> Text,
        aggregate -> Text,
        aggregate_version -> BigInt,
        workspace -> Text,
        payload -> Binary,
        state -> Text,
        at -> UtcMillis,
        attempts -> Integer,
        fence -> BigInt,
        received_at -> UtcMillis,
        reason -> Text,
    }
}

diesel::table! {
    use crate::types::{Doc, UtcMillis};
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
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::BigInt;

    receipts (write_id) {
        write_id -> BigInt,
        result -> Doc,
        created_at -> UtcMillis,
    }
}

diesel::table! {
    use crate::types::UtcMillis;
    use diesel::sql_types::{Binary, Text};

    api_keys (key_sha256) {
        key_sha256 -> Binary,
        workspace -> Text,
        key_id -> Text,
        created_at -> UtcMillis,
    }
}
