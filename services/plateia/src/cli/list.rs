//! What every list takes, and what the list of audiences takes beside.

use clap::Args;

/// Which page of a list.
#[derive(Debug, Default, Args)]
pub struct Paging {
    /// One page of so many instead of everything, 1 to 1000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: Option<u16>,
    /// The page that follows: what the page before named [in JSON: next_cursor]
    #[arg(long)]
    pub cursor: Option<String>,
}

#[derive(Debug, Default, Args)]
pub struct AudienceList {
    /// With this in the name or in a tag
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// With this status only
    #[arg(long, value_parser = ["active", "draft", "in_progress", "failed"])]
    pub status: Option<String>,
    /// Of this kind only
    #[arg(long, value_parser = ["static", "dynamic"])]
    pub kind: Option<String>,
    /// With this tag only
    #[arg(long)]
    pub tag: Option<String>,
    /// Whether to show deleted ones [default: false]
    #[arg(long, value_parser = ["false", "true", "any"], num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub deleted: Option<String>,
    /// Order; a minus reverses it [default: created_at]
    #[arg(long, value_parser = ["created_at", "-created_at", "name", "-name"], allow_hyphen_values = true)]
    pub sort: Option<String>,
    #[command(flatten)]
    pub paging: Paging,
}
