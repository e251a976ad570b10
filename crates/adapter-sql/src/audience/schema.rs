//! Audiences, notifications, feeds, outcomes and uploads.

diesel::table! {
    /// The last number that each workspace has given to an audience.
    audience_numbers (workspace) {
        workspace -> Text,
        last_number -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};

    audiences (id) {
        id -> BigInt,
        workspace -> Text,
        number -> BigInt,
        name -> Text,
        name_key -> Text,
        tags -> Doc,
        tags_key -> Text,
        search_key -> Text,
        icon -> Nullable<Text>,
        status -> Text,
        kind -> Text,
        source_id -> Text,
        collection -> Text,
        visibility -> Text,
        version -> BigInt,
        epoch -> BigInt,
        last_epoch -> BigInt,
        contacts -> BigInt,
        definition -> Doc,
        audience_type -> Text,
        asks_for_scores -> Integer,
        resource -> Integer,
        unsubscribed -> BigInt,
        created_by -> Text,
        created_at -> UtcMillis,
        updated_at -> UtcMillis,
        deleted_at -> Nullable<UtcMillis>,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Text};

    /// When audiences are refreshed by themselves.
    audience_schedules (audience) {
        audience -> BigInt,
        workspace -> Text,
        times -> Text,
        next_at -> UtcMillis,
    }
}

diesel::table! {
    use crate::core::types::Doc;
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
    use crate::core::types::UtcMillis;
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
    use crate::core::types::{Doc, UtcMillis};
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
    use crate::core::types::UtcMillis;
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
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};

    notifications (id) {
        id -> BigInt,
        workspace -> Text,
        user_id -> Text,
        kind -> Text,
        subject -> Text,
        occasion -> BigInt,
        data -> Doc,
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
    use crate::core::types::{Doc, UtcMillis};
    use diesel::sql_types::{BigInt, Nullable, Text};

    user_events (workspace, user_id, seq) {
        workspace -> Text,
        user_id -> Text,
        seq -> BigInt,
        kind -> Text,
        data -> Doc,
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
    use crate::core::types::UtcMillis;
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
    use crate::core::types::{Doc, UtcMillis};
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

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Nullable, Text};

    audience_refreshes (audience, request) {
        audience -> BigInt,
        request -> BigInt,
        operation -> Nullable<BigInt>,
        cause -> Text,
        epoch -> BigInt,
        began_at -> UtcMillis,
        shown_at -> UtcMillis,
        size -> BigInt,
        entered -> BigInt,
        departed -> BigInt,
        changed -> BigInt,
        bytes -> Nullable<BigInt>,
        first_request -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Integer, Text};

    /// What something outside told of its use of audiences.
    audience_usages (audience, kind, id) {
        workspace -> Text,
        audience -> BigInt,
        kind -> Text,
        id -> Text,
        name -> Text,
        resource -> Integer,
        in_use -> Integer,
        version -> BigInt,
        changed_at -> UtcMillis,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    audience_departures (audience, member_key, entered) {
        audience -> BigInt,
        member_key -> Text,
        entered -> BigInt,
        departed -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    /// Members who have entered or left, and of whom no event has been published yet.
    member_changes (audience, request, member_key) {
        audience -> BigInt,
        request -> BigInt,
        member_key -> Text,
    }
}

diesel::table! {
    /// The audiences that conditions name.
    audience_references (audience, refers_to) {
        workspace -> Text,
        audience -> BigInt,
        refers_to -> BigInt,
    }
}

diesel::table! {
    use crate::core::types::Doc;
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};

    /// What workspaces have decided.
    workspaces (workspace) {
        workspace -> Text,
        timezone -> Text,
        locale -> Text,
        excluded_audience -> Nullable<BigInt>,
        version -> BigInt,
        members_changed_events -> Bool,
        consent -> Text,
        sending -> Doc,
    }
}

diesel::table! {
    use crate::core::types::UtcMillis;
    use diesel::sql_types::{BigInt, Text};

    /// Who is not to be written to.
    suppressions (workspace, kind, hash) {
        workspace -> Text,
        kind -> Text,
        hash -> Text,
        id -> BigInt,
        reason -> Text,
        created_by -> Text,
        created_at -> UtcMillis,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    audiences,
    audience_contents,
    audience_references,
    write_intents,
    removals
);
diesel::allow_tables_to_appear_in_same_query!(audience_refreshes, audience_departures);
