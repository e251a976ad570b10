//! What can be said of a recycling: every rule of the API.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::{ReadingArgs, operation::Wait};

pub const EXAMPLES: &str = "Examples:
  plateia audience recycle aud_1 --documents worked.csv
  plateia audience recycle aud_1 --minus aud_2 --outcome converted --to-new
  plateia audience recycle aud_1 --attempts 3 --contacted-from 2026-01-01T00:00:00Z --channel phone
  plateia audience recycle aud_1 --dry-run --where \\
    '[{\"conditions\":[{\"kind\":\"property\",\"field\":\"plano\",\"operator\":\"equals\",\"value\":\"Básico\"}]}]'

Whoever any rule holds for is removed. The counts are shown first. People who opted out always go,
unless --opted-out false keeps them.";

#[derive(Debug, Default, Args)]
pub struct RecycleArgs {
    /// The audience
    pub id: String,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Keep the members of these audiences, unless they opted out
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub keep_audience: Vec<String>,
    /// Keep these people, unless they opted out
    #[arg(long, value_name = "DOCUMENT", value_delimiter = ',')]
    pub keep_document: Vec<String>,
    /// Leave the audience as it is and copy who stays to a new one
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub to_new: Option<String>,
    /// Show the counts and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The plan of a dry run of the same rules, which was looked at: nothing is shown or asked again
    #[arg(long, conflicts_with = "dry_run")]
    pub plan: Option<String>,
    /// By how many contacts what is removed may differ from the plan [default: 0]
    #[arg(long, value_name = "N")]
    pub plan_tolerance: Option<u32>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub wait: Wait,
}

/// Whom to remove.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleArgs {
    /// Remove the people of this file, which has a column of documents
    #[arg(long, value_name = "FILE")]
    pub documents: Option<PathBuf>,
    /// Remove these people
    #[arg(long, value_name = "DOCUMENT", value_delimiter = ',')]
    pub document: Vec<String>,
    /// Remove the members of these audiences
    #[arg(long, value_name = "AUDIENCE", value_delimiter = ',')]
    pub minus: Vec<String>,
    /// Remove whom these groups of conditions hold for
    #[arg(long = "where", value_name = "JSON", value_parser = conditions)]
    pub conditions: Option<Value>,
    /// Remove people whose last attempt ended so
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = [
        "answered", "no_answer", "busy", "failed", "converted", "invalid_number", "opted_out",
    ])]
    pub outcome: Vec<String>,
    /// Remove people with an attempt at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub contacted_from: Option<String>,
    /// Remove people with an attempt before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub contacted_to: Option<String>,
    /// Of all attempts, those on this channel; alone: people with any attempt on it
    #[arg(long)]
    pub channel: Option<String>,
    /// Remove people with so many attempts or more
    #[arg(long, value_name = "N")]
    pub attempts: Option<u32>,
    /// Remove people whose last attempt is more recent than so many hours
    #[arg(long, value_name = "HOURS")]
    pub min_hours_since_last_attempt: Option<u32>,
    /// Whether people go who opted out [default: true]; alone, `true` is a rule too
    #[arg(long, value_name = "BOOL")]
    pub opted_out: Option<bool>,
    /// Remove people who share one of these with somebody who stays
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = ["phone", "email"])]
    pub duplicates: Vec<String>,
    /// Who stays of those that share it [default: latest]
    #[arg(long, requires = "duplicates", value_parser = ["latest", "earliest"])]
    pub duplicates_keep: Option<String>,
}

/// A list of groups, an object of `groups` and `groupType`, or one group.
fn conditions(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match value {
        Value::Object(ref members) if members.contains_key("groups") => Ok(value),
        Value::Object(_) => Ok(Value::Array(vec![value])),
        Value::Array(_) => Ok(value),
        _ => Err("must be a group of conditions, or a list of them".to_owned()),
    }
}
