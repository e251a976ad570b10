//! The one place where errors of Diesel and of the pools become [`StoreError`].

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use ports::{StoreError, constraint};

/// Messages of both databases for conditions that pass. They have no kind of their own in Diesel.
const PASSING: &[&str] = &[
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "deadlock detected",
    "lock timeout",
    "statement timeout",
    "too many clients",
    "the database system is",
    "terminating connection",
    "connection closed",
    "connection reset",
    "connection refused",
    "error communicating with the server",
    "unable to open database file",
];

/// Messages of both databases for a full disk.
const FULL: &[&str] = &["disk is full", "No space left on device"];

/// What a failed statement means to the caller.
pub(crate) fn store(error: Error) -> StoreError {
    let Error::DatabaseError(kind, info) = &error else {
        return StoreError::Internal(Box::new(error));
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => StoreError::Conflict {
            constraint: violated(info.as_ref()),
        },
        DatabaseErrorKind::ForeignKeyViolation => StoreError::Conflict {
            constraint: constraint::OTHER,
        },
        DatabaseErrorKind::SerializationFailure
        | DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand => StoreError::Unavailable(Box::new(error)),
        _ if mentions(info.message(), FULL) => StoreError::DiskFull,
        _ if mentions(info.message(), PASSING) => StoreError::Unavailable(Box::new(error)),
        _ => StoreError::Internal(Box::new(error)),
    }
}

/// Refuses a conditional change that met no row.
pub(crate) const fn changed_one(rows: usize) -> Result<(), StoreError> {
    if rows == 0 {
        Err(StoreError::StaleVersion)
    } else {
        Ok(())
    }
}

/// A pool that cannot give a connection.
pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// A failed connection attempt or another set-up step.
pub(crate) fn setup(error: impl Into<ports::BoxError>) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// The rule behind a unique violation. PostgreSQL names the index, SQLite lists its columns.
fn violated(info: &dyn DatabaseErrorInformation) -> &'static str {
    let rule = info.constraint_name().unwrap_or_else(|| info.message());
    if rule.contains("name_key") {
        constraint::AUDIENCE_NAME
    } else if rule.contains("write_id") {
        constraint::WRITE_ID
    } else {
        constraint::OTHER
    }
}

fn mentions(message: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| message.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database_error(kind: DatabaseErrorKind, message: &str) -> StoreError {
        store(Error::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn unique_violations_name_their_rule() {
        for (message, name) in [
            (
                "UNIQUE constraint failed: audiences.workspace, audiences.name_key",
                constraint::AUDIENCE_NAME,
            ),
            (
                "UNIQUE constraint failed: operations.write_id",
                constraint::WRITE_ID,
            ),
            ("UNIQUE constraint failed: uploads.id", constraint::OTHER),
        ] {
            let error = database_error(DatabaseErrorKind::UniqueViolation, message);
            assert!(error.is_conflict_on(name), "{message}");
        }
    }

    #[test]
    fn passing_conditions_are_told_from_defects() {
        let unknown = |message| database_error(DatabaseErrorKind::Unknown, message);
        assert!(matches!(
            unknown("database is locked"),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(
            unknown("canceling statement due to lock timeout"),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(
            unknown("database or disk is full"),
            StoreError::DiskFull
        ));
        assert!(matches!(
            unknown("no such table: x"),
            StoreError::Internal(_)
        ));
    }
}
