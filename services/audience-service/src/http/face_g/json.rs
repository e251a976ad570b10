//! Lists as this face writes them.

use chrono::SecondsFormat;
use domain::{
    audience::{Audience, Icon},
    shared::Instant,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Group)]
pub struct Group<'a> {
    /// Number in the workspace.
    #[schema(example = 1)]
    id: i64,
    /// 6 to 128 characters where this face gave it.
    name: &'a str,
    /// Exact number of contacts, as text.
    #[schema(example = "2")]
    contacts: String,
    /// When it was made, in whole seconds.
    #[schema(example = "2016-06-17T18:21:23+00:00")]
    create_at: String,
    /// Last change of the list or its contacts.
    #[schema(example = "2016-06-17T18:21:23+00:00")]
    last_modified_at: String,
    /// `active`, or `draft` where another face says so.
    status: &'static str,
    /// URL of a picture.
    icon: Option<&'a str>,
}

impl<'a> From<&'a Audience> for Group<'a> {
    fn from(audience: &'a Audience) -> Self {
        let time = |at: Instant| at.to_rfc3339_opts(SecondsFormat::Secs, false);
        Self {
            id: audience.number,
            name: audience.name.as_str(),
            contacts: audience.contacts.to_string(),
            create_at: time(audience.created_at),
            last_modified_at: time(audience.updated_at),
            status: audience.status.as_str(),
            icon: audience.icon.as_ref().map(Icon::as_str),
        }
    }
}

/// All lists.
#[derive(ToSchema)]
#[schema(as = Groups)]
#[expect(dead_code, reason = "described, and written in parts")]
pub struct Groups<'a> {
    /// How many.
    count: usize,
    /// In the order of their ids.
    items: Vec<Group<'a>>,
}

/// An error. Where there is no list, reading answers it with status 200.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupError)]
pub struct GroupError {
    /// What is wrong.
    #[schema(example = "You don't have any List yet.")]
    error: &'static str,
    /// The status that it has or would have.
    #[schema(example = 404)]
    code: u16,
}

/// There is no such list.
pub const NO_LIST: GroupError = GroupError {
    error: "You don't have any List yet.",
    code: 404,
};

/// What reading a list answers.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupFound)]
#[serde(untagged)]
pub enum Found<'a> {
    /// The list.
    List(Group<'a>),
    /// There is none.
    None(GroupError),
}

/// What reading all lists answers.
#[derive(ToSchema)]
#[schema(as = GroupsFound)]
#[serde(untagged)]
#[expect(dead_code, reason = "described, and written in parts")]
pub enum Listed<'a> {
    /// The lists.
    Lists(Groups<'a>),
    /// There is none.
    None(GroupError),
}
