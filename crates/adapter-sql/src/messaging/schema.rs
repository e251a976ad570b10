//! Events on their way.

diesel::table! {
    use crate::core::types::UtcMillis;
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
    use crate::core::types::UtcMillis;
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
    use diesel::sql_types::{Integer, Text};

    /// The environment that the database belongs to: one row.
    environment (one) {
        one -> Integer,
        id -> Text,
    }
}
