//! Which audiences a list shows.

use std::fmt;

use domain::audience::AudienceStatus;
use http_kit::Problem;
use ports::store::{FindAudiences, SortBy};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use utoipa::IntoParams;

use super::{broken, json::Selection};

const TYPES: [&str; 3] = ["static", "scheduled", "live"];
const MAX_PAGE: i64 = 1_000;

/// The parameters of a list. Others are ignored.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// From 1, which is also the default.
    #[param(value_type = Option<i64>)]
    page: Option<String>,
    /// 1 to 1,000; 100 where absent.
    #[param(value_type = Option<i64>)]
    page_size: Option<String>,
    /// Part of a name or a tag, without case and accents.
    search: Option<String>,
    /// A JSON array of `active`, `draft`, `in_progress`, `failed`.
    status: Option<String>,
    /// `all`, `active`, `draft` or `rfm`.
    tab: Option<String>,
    /// A JSON array of `static`, `scheduled`, `live`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// A JSON array of tags: any of them.
    tags: Option<String>,
    /// A JSON object of `createdAt`, `updatedAt`, `name`, `status`, `totalCustomers`, `activeCustomers`, each
    /// `asc` or `desc`, in this order; `{"createdAt": "desc"}` where absent.
    sort: Option<String>,
    /// Set, and neither `false` nor `0`: without the workspace's excluded audience.
    exclude_audience: Option<String>,
    /// Names of members between commas; `id` is always there.
    select_fields: Option<String>,
    /// A JSON boolean.
    is_resource_created: Option<String>,
}

impl ListQuery {
    /// Whether the workspace's excluded audience is left out.
    pub fn excludes(&self) -> bool {
        let set = self.exclude_audience.as_deref().unwrap_or_default();
        !matches!(set, "" | "false" | "0")
    }

    /// What is asked for, and which members are shown.
    pub fn read(self) -> Result<(FindAudiences, Selection), Problem> {
        let selection = Selection::parse(self.select_fields.as_deref())?;
        let number = |text: Option<&String>, default: i64, most: i64| match text {
            None => Ok(default),
            Some(text) => {
                let number = text.parse().ok().filter(|n| (1..=most).contains(n));
                number.ok_or_else(|| broken("page and pageSize are whole numbers from 1"))
            }
        };
        let page = number(self.page.as_ref(), 1, i64::from(i32::MAX))?;
        let limit = number(self.page_size.as_ref(), 100, MAX_PAGE)?;
        let mut find = FindAudiences {
            search: self.search.filter(|search| !search.is_empty()),
            statuses: statuses(self.status.as_deref())?,
            types: types(self.kind.as_deref())?,
            tags: json(self.tags.as_deref())?.unwrap_or_default(),
            resource: json(self.is_resource_created.as_deref())?,
            sort: sort(self.sort.as_deref())?,
            offset: (page - 1) * limit,
            limit,
            ..FindAudiences::default()
        };
        match self.tab.as_deref() {
            None | Some("" | "all") => {}
            Some("rfm") => find.asks_for_scores = true,
            Some(tab @ ("active" | "draft")) => {
                let status = match tab {
                    "active" => AudienceStatus::Active,
                    _ => AudienceStatus::Draft,
                };
                // Both have to hold.
                let mut both = find.statuses.unwrap_or_else(|| vec![status]);
                both.retain(|asked| *asked == status);
                find.statuses = Some(both);
            }
            Some(_) => return Err(broken("tab is all, active, draft or rfm")),
        }
        Ok((find, selection))
    }
}

/// A parameter that is JSON.
fn json<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let read = serde_json::from_str(text);
    read.map(Some)
        .map_err(|_| broken("a parameter is not the JSON that it should be"))
}

fn statuses(text: Option<&str>) -> Result<Option<Vec<AudienceStatus>>, Problem> {
    let names: Option<Vec<String>> = json(text)?;
    let Some(names) = names.filter(|names| !names.is_empty()) else {
        return Ok(None);
    };
    let statuses = names.iter().map(|name| name.parse());
    let statuses: Result<_, ()> = statuses.collect();
    statuses
        .map(Some)
        .map_err(|()| broken("status names an unknown status"))
}

fn types(text: Option<&str>) -> Result<Vec<&'static str>, Problem> {
    let names: Vec<String> = json(text)?.unwrap_or_default();
    let known = |name: &String| TYPES.into_iter().find(|known| known == name);
    let types: Option<_> = names.iter().map(known).collect();
    types.ok_or_else(|| broken("type names an unknown type"))
}

fn sort(text: Option<&str>) -> Result<Vec<(SortBy, bool)>, Problem> {
    let Some(Ordered(keys)) = json(text)? else {
        return Ok(vec![(SortBy::Created, true)]);
    };
    let unknown = || broken("sort names an unknown field or direction");
    let mut sort: Vec<(SortBy, bool)> = Vec::new();
    for (name, direction) in keys {
        let by = match name.as_str() {
            "createdAt" => SortBy::Created,
            "updatedAt" => SortBy::Updated,
            "name" => SortBy::Name,
            "status" => SortBy::Status,
            "totalCustomers" => SortBy::Total,
            "activeCustomers" => SortBy::Active,
            _ => return Err(unknown()),
        };
        let descending = match direction.as_str() {
            "asc" => false,
            "desc" => true,
            _ => return Err(unknown()),
        };
        if sort.iter().any(|(known, _)| *known == by) {
            return Err(broken("sort names a field twice"));
        }
        sort.push((by, descending));
    }
    match sort.is_empty() {
        true => Err(unknown()),
        false => Ok(sort),
    }
}

/// The members of an object, in the order in which they are written.
struct Ordered(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
