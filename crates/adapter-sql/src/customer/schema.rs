//! Customers, their labels and consent, and what they did.

diesel::table! {
    /// The last number given, and how many customers there are.
    customer_totals (workspace) {
        workspace -> Text,
        last_id -> BigInt,
        customers -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};

    customers (workspace, id) {
        workspace -> Text,
        id -> BigInt,
        client -> Text,
        identity -> Text,
        document -> Nullable<Text>,
        name -> Nullable<Text>,
        phone -> Nullable<Text>,
        phone_valid -> Integer,
        phone_raw -> Nullable<Text>,
        email -> Nullable<Text>,
        email_valid -> Integer,
        email_raw -> Nullable<Text>,
        attributes -> Doc,
        tags -> Doc,
        imported_tags -> Doc,
        synced -> Nullable<BigInt>,
        version -> BigInt,
        member_key -> Text,
        facts -> Doc,
        created_at -> UtcMillis,
        updated_at -> UtcMillis,
    }
}

diesel::table! {
    customer_clients (workspace, client) {
        workspace -> Text,
        client -> Text,
        slug -> Text,
        customers -> BigInt,
    }
}

diesel::table! {
    customer_tags (workspace, tag, customer) {
        workspace -> Text,
        tag -> Text,
        customer -> BigInt,
    }
}

diesel::table! {
    customer_tag_counts (workspace, tag) {
        workspace -> Text,
        tag -> Text,
        label -> Text,
        customers -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Text};

    customer_consents (workspace, customer, channel) {
        workspace -> Text,
        customer -> BigInt,
        channel -> Text,
        status -> Text,
        source -> Text,
        said_at -> UtcMillis,
    }
}

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Nullable, Text};

    customer_events (workspace, customer, occurred_at, id) {
        workspace -> Text,
        customer -> BigInt,
        occurred_at -> UtcMillis,
        id -> BigInt,
        name -> Text,
        properties -> Doc,
        facts -> Doc,
        amount -> Nullable<BigInt>,
        event_key -> Nullable<Text>,
        received_at -> UtcMillis,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Nullable, Text};

    score_settings (workspace) {
        workspace -> Text,
        event -> Text,
        window_days -> BigInt,
        scored_at -> Nullable<UtcMillis>,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Text};

    customer_scores (workspace, customer) {
        workspace -> Text,
        customer -> BigInt,
        recency -> BigInt,
        frequency -> BigInt,
        monetary -> BigInt,
        cell -> Text,
        last_at -> UtcMillis,
        purchases -> BigInt,
        money -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{Integer, Text};

    live_workspaces (workspace) {
        workspace -> Text,
        looked_until -> UtcMillis,
        watches_dates -> Integer,
        owner -> Text,
        lease_until -> UtcMillis,
    }
}

diesel::table! {
    live_queue (id) {
        id -> BigInt,
        workspace -> Text,
        audience -> BigInt,
        change -> Text,
        member_key -> Text,
    }
}

diesel::table! {
    watched_dates (workspace, field) {
        workspace -> Text,
        field -> Text,
    }
}

diesel::table! {
    customer_dates (workspace, field, at, customer) {
        workspace -> Text,
        field -> Text,
        at -> Text,
        customer -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{Binary, Nullable, Text};

    /// Where the customers of segments are, when elsewhere.
    segment_sources (workspace) {
        workspace -> Text,
        source -> Doc,
        sealed -> Nullable<Binary>,
        updated_at -> UtcMillis,
    }
}

diesel::table! {
    segment_source_bytes (workspace, month) {
        workspace -> Text,
        month -> Integer,
        bytes -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(customer_totals, customer_clients);
