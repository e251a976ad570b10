//! Identifiers. Snowflakes exceed 2^53, so every id leaves the process as a string.

use std::{fmt, str::FromStr};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind} id")]
pub struct IdError {
    /// Which identifier was expected.
    pub kind: &'static str,
}

/// A positive decimal without sign, leading zeros or spaces, as snowflakes are written.
fn decimal(text: &str, kind: &'static str) -> Result<i64, IdError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if text.is_empty() || !digits || text.starts_with('0') {
        return Err(IdError { kind });
    }
    text.parse().map_err(|_| IdError { kind })
}

macro_rules! snowflake_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a raw snowflake, as read from a store or made by an id generator.
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }

            /// The raw snowflake.
            pub const fn raw(self) -> i64 {
                self.0
            }

            /// The bare decimal form.
            pub fn decimal(self) -> String {
                self.0.to_string()
            }
        }

        super::text_serde!($name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Takes the prefixed form and the bare decimal.
            fn from_str(text: &str) -> Result<Self, IdError> {
                decimal(text.strip_prefix($prefix).unwrap_or(text), $kind).map(Self)
            }
        }
    };
}

snowflake_id!(
    /// An audience, `aud_<decimal>` outside face L.
    AudienceId, "aud_", "audience"
);
snowflake_id!(
    /// A long operation, `op_<decimal>`.
    OperationId, "op_", "operation"
);
snowflake_id!(
    /// An uploaded file, `upl_<decimal>`.
    UploadId, "upl_", "upload"
);
snowflake_id!(
    /// A notification, `ntf_<decimal>`.
    NotificationId, "ntf_", "notification"
);
snowflake_id!(
    /// A communication, `com_<decimal>` outside face S.
    CommunicationId, "com_", "communication"
);
snowflake_id!(
    /// Whom nobody is to write to, `sup_<decimal>`.
    SuppressionId, "sup_", "suppression"
);
snowflake_id!(
    /// Whose CRM is imported, `cli_<decimal>`.
    ClientId, "cli_", "client"
);

/// Identifies one contact-store write: its intent in the relational store, its rows in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteNo(pub i64);

/// A generation of an audience's contacts. Numbers of one audience only ever grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// Number of a removal within its epoch. [`RemovalNo::PERMANENT`] is always active.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct RemovalNo(pub i64);

impl RemovalNo {
    /// Removals that nothing undoes: contacts deleted one by one, people withheld at an undo.
    pub const PERMANENT: Self = Self(0);
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $ok:expr, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Parses the text.
            ///
            /// # Errors
            /// When it is empty, too long, or has a character outside the allowed set.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let ok: fn(char) -> bool = $ok;
                if text.is_empty() || text.chars().count() > $max || !text.chars().all(ok) {
                    return Err(IdError { kind: $kind });
                }
                Ok(Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The tenant, `[A-Za-z0-9_-]{1,64}`.
    WorkspaceId, "workspace", |c| c.is_ascii_alphanumeric() || c == '_' || c == '-', 64
);
text_id!(
    /// Who acts: the gateway's user id, or `key:<id>` for an API key on its own.
    UserId, "user", |c| c.is_ascii_graphic(), 128
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audience_id_takes_both_forms_and_nothing_else() {
        let id = AudienceId::from_raw(104_629_547_441_512_448);
        assert_eq!("aud_104629547441512448".parse(), Ok(id));
        assert_eq!("104629547441512448".parse(), Ok(id));
        assert_eq!(id.to_string(), "aud_104629547441512448");
        for bad in [
            "",
            "0",
            "-1",
            "01",
            "aud_",
            "aud_x",
            "99999999999999999999",
            " 1",
            "op_1",
        ] {
            assert!(bad.parse::<AudienceId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn workspace_id_has_a_closed_alphabet() {
        assert!(WorkspaceId::parse("ws_demo-1").is_ok());
        for bad in ["", "a b", "ws/1", "é", &"x".repeat(65)] {
            assert!(WorkspaceId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
