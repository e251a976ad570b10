//! Errors of the driver as errors of a store. The driver's own texts may hold keys, which hold
//! documents: they are never passed on.

use mongodb::error::{Error, ErrorKind, WriteFailure};
use ports::StoreError;

/// What may be said of a failure.
#[derive(Debug, thiserror::Error)]
#[error("MongoDB: {what} (code {code:?})")]
struct Said {
    what: &'static str,
    code: Option<i32>,
    /// No server was found to send it to.
    unsent: bool,
}

/// Not primary, stepping down, shutting down, recovering, interrupted, host unreachable, network time-out, time limit.
const TRANSIENT: [i32; 17] = [
    6, 7, 50, 64, 89, 91, 100, 189, 262, 9_001, 10_107, 11_600, 11_602, 13_388, 13_435, 13_436, 358,
];
/// The disk is full.
const DISK_FULL: i32 = 14_031;
/// The operating system's text for it, in the messages of WiredTiger.
const NO_SPACE: &str = "No space left on device";

pub(crate) fn store(error: Error) -> StoreError {
    if failures(&error).any(|(code, text)| is_disk_full(code, text)) {
        return StoreError::DiskFull;
    }
    let code = failures(&error).next().map(|(code, _)| code);
    let transient = code.is_some_and(|code| TRANSIENT.contains(&code))
        || error.contains_label("RetryableWriteError")
        || error.contains_label("RetryableError")
        || error.contains_label("SystemOverloadedError")
        || matches!(
            *error.kind,
            ErrorKind::Io(_)
                | ErrorKind::ServerSelection { .. }
                | ErrorKind::ConnectionPoolCleared { .. }
                | ErrorKind::DnsResolve { .. }
        );
    let said = Box::new(Said {
        what: what(&error.kind),
        code,
        unsent: matches!(
            *error.kind,
            ErrorKind::ServerSelection { .. } | ErrorKind::DnsResolve { .. }
        ),
    });
    if transient {
        StoreError::Unavailable(said)
    } else {
        StoreError::Internal(said)
    }
}

/// Whether a server may have what failed with this. (Where a command was sent and its repetition finds no
/// server, the driver answers the error of the first.)
pub(crate) fn may_have_been_sent(cause: &ports::BoxError) -> bool {
    !cause.downcast_ref::<Said>().is_some_and(|said| said.unsent)
}

/// Codes and texts of a failure, the one that binds the caller the most first.
fn failures(error: &Error) -> impl Iterator<Item = (i32, &str)> {
    let (one, writes) = match &*error.kind {
        ErrorKind::Command(error) => (Some((error.code, error.message.as_str())), None),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            (Some((error.code, error.message.as_str())), None)
        }
        ErrorKind::Write(WriteFailure::WriteError(error)) => {
            (Some((error.code, error.message.as_str())), None)
        }
        ErrorKind::InsertMany(many) => {
            let concern = many.write_concern_error.as_ref();
            let concern = concern.map(|error| (error.code, error.message.as_str()));
            (concern, many.write_errors.as_ref())
        }
        _ => (None, None),
    };
    let writes = writes.into_iter().flatten();
    one.into_iter()
        .chain(writes.map(|error| (error.code, error.message.as_str())))
}

/// Where WiredTiger finds no room, some commands answer with its text under a general code.
fn is_disk_full(code: i32, text: &str) -> bool {
    code == DISK_FULL || text.contains(NO_SPACE)
}

const fn what(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Io(_) => "the connection failed",
        ErrorKind::ServerSelection { .. } => "no primary was found in time",
        ErrorKind::ConnectionPoolCleared { .. } => "the connections were cleared",
        ErrorKind::Authentication { .. } => "authentication failed",
        ErrorKind::Command(_) => "a command failed",
        ErrorKind::Write(_) | ErrorKind::InsertMany(_) => "a write failed",
        _ => "the driver failed",
    }
}

/// An error of the reply to a command that reports per statement.
pub(crate) fn reply(code: i32, text: &str) -> StoreError {
    let said = Box::new(Said {
        what: "a write failed",
        code: Some(code),
        unsent: false,
    });
    if is_disk_full(code, text) {
        StoreError::DiskFull
    } else if TRANSIENT.contains(&code) {
        StoreError::Unavailable(said)
    } else {
        StoreError::Internal(said)
    }
}

/// An error of the driver's BSON.
pub(crate) fn bson(_: mongodb::bson::error::Error) -> StoreError {
    StoreError::Corrupt("a stored document")
}

/// What no server was found for.
#[cfg(test)]
pub(crate) fn unsent() -> StoreError {
    StoreError::Unavailable(Box::new(Said {
        what: "no primary was found in time",
        code: None,
        unsent: true,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_by_code_or_text() {
        let text = "WT_SESSION.commit: journal: 28: No space left on device";
        for (code, text) in [(DISK_FULL, ""), (8, text), (1, text), (64, text)] {
            assert!(matches!(reply(code, text), StoreError::DiskFull), "{code}");
        }
        assert!(matches!(reply(64, "timed out"), StoreError::Unavailable(_)));
        assert!(matches!(reply(8, "unknown"), StoreError::Internal(_)));
    }
}
