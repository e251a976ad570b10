//! Notifications, feeds, outcomes and uploads.

diesel::table! {
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};

    notifications (id) {
        id -> BigInt,
        workspace -> Text,
        user_id -> Text,
        operation -> BigInt,
        attempt -> Integer,
        payload -> Doc,
        created_at -> UtcMillis,
        read_at -> Nullable<UtcMillis>,
    }
}

diesel::table! {
    /// The last position of each user's feed.
    user_feeds (workspace, user_id) {
        workspace -> Text,
        user_id -> Text,
        last_seq -> BigInt,
    }
}

diesel::table! {
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Nullable, Text};

    user_events (workspace, user_id, seq) {
        workspace -> Text,
        user_id -> Text,
        seq -> BigInt,
        kind -> Text,
        operation -> Nullable<BigInt>,
        payload -> Doc,
        created_at -> UtcMillis,
    }
}

diesel::table! {
    /// How many numbers each workspace has given to its reports.
    outcome_versions (workspace) {
        workspace -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    use crate::types::UtcMillis;
    use diesel::sql_types::{BigInt, Nullable, Text};

    outcomes (workspace, document, seq) {
        workspace -> Text,
        document -> Text,
        seq -> BigInt,
        channel -> Text,
        outcome -> Text,
        occurred_at -> UtcMillis,
        external_id -> Nullable<Text>,
        recorded_at -> UtcMillis,
    }
}

diesel::table! {
    use crate::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Nullable, Text};

    uploads (id) {
        id -> BigInt,
        workspace -> Text,
        blob -> Text,
        file_name -> Nullable<Text>,
        bytes -> BigInt,
        sha256 -> Text,
        detected -> Doc,
        created_at -> UtcMillis,
    }
}
