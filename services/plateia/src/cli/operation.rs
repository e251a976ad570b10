//! What can be said of operations and notifications.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::{column_map, list::Paging};

/// Kinds of operations that are asked for.
const KINDS: [&str; 8] = [
    "upload",
    "create",
    "recycle",
    "clear",
    "duplicate",
    "import",
    "refresh",
    "score",
];
const STATES: [&str; 6] = [
    "queued",
    "waiting",
    "running",
    "succeeded",
    "failed",
    "cancelled",
];

/// How long a command waits for the end of what it started.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Wait {
    /// Wait so long for the end at most; 0 does not wait [default: until it ends]
    #[arg(long = "wait", value_name = "SECONDS")]
    pub seconds: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub enum OperationCommand {
    /// List operations, newest first
    #[command(after_help = "Examples:
  plateia operation list --state waiting
  plateia operation list --kind recycle --audience aud_1 --limit 10")]
    List(OperationList),
    /// Show an operation as it stands
    #[command(after_help = "Example: plateia operation show op_1
The exit code is 0 however it stands; `watch` tells its end by the exit code.")]
    Show { id: String },
    /// Follow an operation to its end
    #[command(after_help = "Example: plateia operation watch op_1")]
    Watch {
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Ask an operation to stop
    #[command(after_help = "Example: plateia operation cancel op_1 --wait 60")]
    Cancel {
        id: String,
        /// Wait so long for it to stop
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        wait: u64,
    },
    /// Go on with an operation that failed or was cancelled, and follow it to its end
    #[command(after_help = "Example: plateia operation retry op_1")]
    Retry {
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Let a refresh go on that would change its audience more than expected, and follow it to its end
    #[command(after_help = "Example: plateia operation confirm op_1")]
    Confirm {
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Take back what an operation removed or made
    #[command(after_help = "Example: plateia operation undo op_1")]
    Undo { id: String },
    /// Download the rows that an operation rejected, and why
    #[command(after_help = "Examples:
  plateia operation rejected op_1 > rejected.csv
  plateia operation rejected op_1 --json --out rejected.ndjson

With --json a JSON object per line, else CSV.")]
    Rejected {
        id: String,
        /// Write to this file, which must not be there [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Bring a mended file of rejected rows into the same audience, and follow that to its end
    #[command(after_help = "Example: plateia operation resubmit op_1 rejected.csv
A file in the form of the downloaded one needs no mapping.")]
    Resubmit(ResubmitArgs),
}

#[derive(Debug, Args)]
pub struct OperationList {
    /// Of this kind only
    #[arg(long, value_parser = KINDS)]
    pub kind: Option<String>,
    /// In this state only
    #[arg(long, value_parser = STATES)]
    pub state: Option<String>,
    /// On this audience only
    #[arg(long, value_name = "ID")]
    pub audience: Option<String>,
    #[command(flatten)]
    pub paging: Paging,
}

#[derive(Debug, Args)]
pub struct ResubmitArgs {
    /// The operation that rejected the rows
    pub id: String,
    /// The file
    pub file: PathBuf,
    /// What a column is: document, name, phone, email, an attribute's name, or nothing to leave it out
    #[arg(long = "map", value_name = "COLUMN=TARGET", value_parser = column_map)]
    pub maps: Vec<(String, String)>,
    /// Reject rows whose CPF or CNPJ has wrong check digits
    #[arg(long)]
    pub require_valid_document: bool,
    #[command(flatten)]
    pub wait: Wait,
}

#[derive(Debug, Subcommand)]
pub enum NotificationCommand {
    /// List your notifications, newest first
    #[command(after_help = "Example: plateia notification list --unread")]
    List {
        /// Those that are not read
        #[arg(long)]
        unread: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Mark notifications as read
    #[command(after_help = "Examples:
  plateia notification read ntf_1 ntf_2
  plateia notification read --all")]
    #[command(group = ArgGroup::new("which").required(true).args(["ids", "all"]))]
    Read {
        /// These
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
}
