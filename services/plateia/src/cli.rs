//! What can be said on the command line.

mod list;
mod operation;
mod recycle;
mod segment;

pub use list::{AudienceList, Paging};
pub use operation::{NotificationCommand, OperationCommand, OperationList, ResubmitArgs, Wait};
pub use recycle::{RecycleArgs, RuleArgs};
pub use segment::{ExplainArgs, PreviewArgs, RefreshArgs, SegmentArgs};

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand, builder::NonEmptyStringValueParser};

use crate::sample;

const EXAMPLES: &str = "Examples:
  plateia demo                                    a server with a sample workspace
  plateia demo import                             an import from a CRM that is made up
  plateia serve --data-dir /var/lib/plateia       a server
  plateia audience import clients.csv --name Clients
  plateia audience recycle aud_1 --documents worked.csv --outcome converted

Exit codes: 0 done, 1 failed (or not ended within --wait), 2 wrong usage, 3 finished with rejected rows.
Ctrl-C leaves an operation running and prints its id.";

/// Audiences for customer communication: the server, and a client of it.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "one value, parsed once for each start"
)]
pub enum Command {
    /// Run the server: one process, data in one directory
    #[command(
        after_help = "Example: plateia serve --data-dir data --listen 127.0.0.1:8080
Prints `ready http://HOST:PORT` when it answers. SIGTERM or Ctrl-C stops it.
PLATEIA_API_KEY is the key of workspace ws_demo; else one is made, kept and printed once."
    )]
    Serve(ServerArgs),
    /// Run the server with a sample workspace: 100,000 contacts, recycled once
    #[command(after_help = "Example: plateia demo --data-dir ./data")]
    Demo(DemoArgs),
    /// Print a CSV file of made-up Brazilian contacts
    #[command(after_help = "Example: plateia sample --rows 1000 --seed 7 > contacts.csv")]
    Sample(SampleArgs),
    /// Check or show the configuration of the server
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Tell or change to which environment the databases belong
    Environment {
        #[command(subcommand)]
        command: EnvironmentCommand,
    },
    /// Fill, recycle and list audiences
    Audience {
        #[command(flatten)]
        connection: Connection,
        #[command(subcommand)]
        command: AudienceCommand,
    },
    /// List, follow, cancel, retry, confirm or undo operations, and mend what they rejected
    Operation {
        #[command(flatten)]
        connection: Connection,
        #[command(subcommand)]
        command: OperationCommand,
    },
    /// List notifications, and mark them as read
    Notification {
        #[command(flatten)]
        connection: Connection,
        #[command(subcommand)]
        command: NotificationCommand,
    },
    /// Look after the bus
    Bus {
        #[command(flatten)]
        connection: Connection,
        #[command(subcommand)]
        command: BusCommand,
    },
}

#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// Let the databases belong to environment.id from now on: what was held back is sent
    Adopt(ServerArgs),
    /// Tell to which environment the databases belong
    Show(ServerArgs),
}

#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Directory of databases and uploads [default: data]
    #[arg(long, value_name = "DIR", value_parser = non_empty_path)]
    pub data_dir: Option<PathBuf>,
    /// Address of the server; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<SocketAddr>,
    /// Configuration file (TOML); see `plateia config print`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SampleArgs {
    /// Rows below the header
    #[arg(long, default_value_t = sample::ROWS, value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    pub rows: u64,
    /// The same seed makes the same file
    #[arg(long, default_value_t = sample::SEED)]
    pub seed: u64,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DemoArgs {
    #[command(subcommand)]
    pub what: Option<DemoCommand>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Import tickets, messages and contacts from a made-up CRM, which runs beside, and end
    #[command(after_help = "Example: plateia demo import --tickets 5000 --data-dir ./data")]
    Import(DemoImportArgs),
}

#[derive(Debug, Args)]
pub struct DemoImportArgs {
    /// Tickets of the CRM, with ten messages each
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub tickets: u64,
    /// Contacts of the CRM
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub contacts: u64,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the configuration can be used; an error names the key
    #[command(after_help = "Example: plateia config check --config plateia.toml")]
    Check(ServerArgs),
    /// Print what is in effect, as a configuration file without secrets
    #[command(after_help = "Example: plateia config print > plateia.toml")]
    Print(ServerArgs),
}

/// Which server, and as whom.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// Address of the server
    #[arg(
        long,
        global = true,
        env = "PLATEIA_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub server: String,
    /// API key; on this machine none is needed
    #[arg(
        long,
        global = true,
        env = "PLATEIA_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub api_key: Option<String>,
    /// Workspace to work in where no API key says so
    #[arg(long, global = true, value_name = "ID", default_value = "ws_demo")]
    pub workspace: String,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "one value, parsed once for each start"
)]
pub enum AudienceCommand {
    /// Bring a CSV, NDJSON or XLSX file into a new audience or one that exists
    #[command(after_help = "Examples:
  plateia audience import clients.csv --name Clients
  plateia audience import more.csv --into aud_1 --map telefone=phone --map Obs= --delimiter ';'
  plateia audience import base.xlsx --name Base --sheet Clientes --header 3 --dry-run

What the columns were taken for is shown first; --map says otherwise.")]
    Import(ImportArgs),
    /// Remove people from an audience, or copy the others to a new one
    #[command(after_help = recycle::EXAMPLES)]
    Recycle(RecycleArgs),
    /// List audiences
    #[command(after_help = "Examples:
  plateia audience list --search vip --sort -created_at
  plateia audience list --json")]
    List(AudienceList),
    /// Show or replace the conditions of an audience
    #[command(after_help = segment::EXAMPLES)]
    Segment(SegmentArgs),
    /// Resolve the members of a segment
    #[command(after_help = "Example: plateia audience refresh aud_1 --wait 60")]
    Refresh(RefreshArgs),
    /// Say who would be a member, and store nothing
    #[command(after_help = "Example: plateia audience preview conditions.json")]
    Preview(PreviewArgs),
    /// Say why a customer is a member of a segment, or is not
    #[command(after_help = "Example: plateia audience explain aud_1 --document 12345678909")]
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["name", "into"]))]
pub struct ImportArgs {
    /// The file
    pub file: PathBuf,
    /// Make a new audience of this name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Add to this audience
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub into: Option<String>,
    /// What a column is: document, name, phone, email, an attribute's name, or nothing to leave it out
    #[arg(long = "map", value_name = "COLUMN=TARGET", value_parser = column_map)]
    pub maps: Vec<(String, String)>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Reject rows whose CPF or CNPJ has wrong check digits
    #[arg(long)]
    pub require_valid_document: bool,
    /// Show what was recognised in the file and bring nothing in
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub wait: Wait,
}

/// How a file is to be read, where it is not found out.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading the file")]
pub struct ReadingArgs {
    /// What separates the fields of a CSV file
    #[arg(long, value_parser = delimiter)]
    pub delimiter: Option<char>,
    /// utf-8, windows-1252, utf-16le or utf-16be
    #[arg(long)]
    pub encoding: Option<String>,
    /// Whether the first row names the columns (true, false), or the number of the row that does
    #[arg(long, value_name = "ROW")]
    pub header: Option<String>,
    /// The sheet of an XLSX file
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum BusCommand {
    /// Deliveries that were given up
    Dead {
        #[command(subcommand)]
        command: DeadCommand,
    },
}

#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// List them, oldest first
    #[command(after_help = "Example: plateia bus dead list --subscription audience.notifications")]
    List {
        /// Of this subscription only
        #[arg(long)]
        subscription: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Send them again
    #[command(after_help = "Examples:
  plateia bus dead redrive --all
  plateia bus dead redrive --subscription audience.notifications EVENT_ID")]
    Redrive(RedriveArgs),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["subscription", "all"]))]
pub struct RedriveArgs {
    /// Of this subscription only
    #[arg(long, conflicts_with = "all")]
    pub subscription: Option<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// The one with this event id
    #[arg(requires = "subscription", conflicts_with = "all", value_name = "ID")]
    pub event_id: Option<String>,
}

fn non_empty_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(text.into())
}

/// The last `=` separates, because targets have none.
fn column_map(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((column, target)) if !column.is_empty() => {
            Ok((column.to_owned(), target.trim().to_owned()))
        }
        _ => Err("must be COLUMN=TARGET".to_owned()),
    }
}

fn delimiter(text: &str) -> Result<char, String> {
    match (text, text.as_bytes()) {
        ("\\t" | "tab", _) => Ok('\t'),
        (_, [byte]) if byte.is_ascii() => Ok(char::from(*byte)),
        _ => Err("must be one ASCII character, or tab".to_owned()),
    }
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
