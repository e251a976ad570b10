//! What the commands of segments take.

use std::path::PathBuf;

use clap::{Args, builder::NonEmptyStringValueParser};

use super::Wait;

pub const EXAMPLES: &str = "Examples:
  plateia audience segment aud_1                        # show the conditions
  plateia audience segment aud_1 --set conditions.json  # replace them
  plateia audience segment --name Buyers --set conditions.json --publish

The file holds {\"groups\": […], \"groupType\": …}; `-` is the standard input.";

#[derive(Debug, Args)]
pub struct SegmentArgs {
    /// The audience
    #[arg(required_unless_present = "name", conflicts_with = "name", value_parser = NonEmptyStringValueParser::new())]
    pub id: Option<String>,
    /// Make a new audience of this name
    #[arg(long, requires = "set", value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Conditions as JSON
    #[arg(long, value_name = "FILE")]
    pub set: Option<PathBuf>,
    /// Make it active, and follow the resolution of its members
    #[arg(long)]
    pub publish: bool,
    #[command(flatten)]
    pub wait: Wait,
}

#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// The audience
    pub id: String,
    #[command(flatten)]
    pub wait: Wait,
}

#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// Conditions as JSON; `-` is the standard input
    pub conditions: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whom").required(true).args(["customer", "document"]))]
pub struct ExplainArgs {
    /// The audience
    pub id: String,
    /// The customer's number
    #[arg(long, value_name = "NUMBER")]
    pub customer: Option<i64>,
    /// The customer's document
    #[arg(long, value_name = "TEXT")]
    pub document: Option<String>,
}
