//! Deleting audiences.

use domain::{audience::Audience, shared::AudienceId};
use http_kit::{Answer, ApiResult, Id, OptionalBody, Problem, Query};
use ports::store::FindAudiences;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Locale, body::id, broken, json::Record, refused};
use crate::http::Caller;

/// Most audiences of one request.
const MOST: usize = 1_000;

/// What is to be deleted. Some gateways drop the body of a DELETE, so that all of it can be said in the
/// query too.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = GatewayDeletion)]
pub struct Body {
    /// `delete-single` or `delete-multiple`.
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    /// Ids, or objects with an `id`; at most 1,000.
    #[schema(value_type = Option<Vec<Object>>)]
    selected_audiences: Option<Vec<Value>>,
    /// Tags of which those are answered that no audience carries any more.
    #[schema(value_type = Option<Vec<String>>)]
    tags: Option<Vec<String>>,
}

/// The same in the query; lists are JSON.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct Named {
    /// `delete-single` or `delete-multiple`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The audience of `delete-single`.
    id: Option<String>,
    /// A JSON array of ids.
    selected_audiences: Option<String>,
    /// A JSON array of tags.
    tags: Option<String>,
}

/// What was deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = GatewayDeleted)]
struct Deleted {
    deleted: Vec<Record>,
    /// Of the tags that were named, those that no audience carries any more.
    tags: Vec<String>,
}

/// Deletes one audience, or several: all or none.
#[utoipa::path(
    delete, path = "/{locale}/api/audience", tag = "audience", operation_id = "deleteGatewayAudience",
    request_body = Option<Body>,
    params(("locale" = String, Path, description = "A language, such as `es` or `pt-BR`"), Named),
    responses(
        (status = 200, description = "What was deleted", body = Record),
        (status = 400, description = "A rule is broken"),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "It is in use"),
    ),
)]
pub async fn delete(
    caller: Caller,
    Id(Locale): Id<Locale>,
    Query(named): Query<Named>,
    OptionalBody(sent): OptionalBody<Body, 400>,
) -> ApiResult {
    let wanted = Wanted::read(named, sent)?;
    let run = |caller: Caller| async move {
        let (change, actor) = (&caller.app.change, &caller.actor);
        let dropped = change.drop_all(actor, &wanted.ids).await.map_err(refused)?;
        let tags = unused(&caller, &wanted.tags).await?;
        if wanted.single
            && let [audience] = dropped.as_slice()
        {
            let mut record = serde_json::to_value(Record::from(audience)).unwrap_or_default();
            if let (false, Some(members)) = (wanted.tags.is_empty(), record.as_object_mut()) {
                members.insert("tags".to_owned(), tags.into());
            }
            return Ok(Answer::ok(&record));
        }
        let deleted: Vec<Record> = dropped.iter().map(|a: &Audience| Record::from(a)).collect();
        Ok(Answer::ok(&Deleted { deleted, tags }))
    };
    caller.change(run).await
}

/// Of these tags, those that no audience carries any more.
async fn unused(caller: &Caller, tags: &[String]) -> Result<Vec<String>, Problem> {
    let mut unused = Vec::new();
    for tag in tags {
        let find = FindAudiences {
            tags: vec![tag.clone()],
            limit: 1,
            ..FindAudiences::default()
        };
        let (_, carried) = caller
            .app
            .find
            .matching(&caller.actor, &find)
            .await
            .map_err(refused)?;
        if carried == 0 {
            unused.push(tag.clone());
        }
    }
    Ok(unused)
}

struct Wanted {
    single: bool,
    ids: Vec<AudienceId>,
    tags: Vec<String>,
}

impl Wanted {
    fn read(named: Named, sent: Body) -> Result<Self, Problem> {
        let list = |text: Option<&String>| -> Result<Option<Vec<Value>>, Problem> {
            let read = text.map(|text| serde_json::from_str(text));
            read.transpose()
                .map_err(|_| broken("a parameter is not a JSON array"))
        };
        let tags = match (sent.tags, list(named.tags.as_ref())?) {
            (Some(tags), _) => tags,
            (None, Some(tags)) => tags
                .iter()
                .filter_map(|t| t.as_str().map(Into::into))
                .collect(),
            (None, None) => Vec::new(),
        };
        let kind = sent.kind.or(named.kind);
        let (single, ids) = match kind.as_deref() {
            Some("delete-single") => {
                let named = named.id.or(sent.id);
                let named = named.ok_or_else(|| broken("id is required"))?;
                (true, vec![id(&named)?])
            }
            Some("delete-multiple") => {
                let listed = list(named.selected_audiences.as_ref())?;
                let selected = sent.selected_audiences.or(listed).unwrap_or_default();
                if selected.is_empty() || selected.len() > MOST {
                    return Err(broken("selectedAudiences has 1 to 1,000 audiences"));
                }
                (
                    false,
                    selected.iter().map(selected_id).collect::<Result<_, _>>()?,
                )
            }
            _ => return Err(broken("type is delete-single or delete-multiple")),
        };
        Ok(Self { single, ids, tags })
    }
}

fn selected_id(value: &Value) -> Result<AudienceId, Problem> {
    let text = value.as_str().or_else(|| value.get("id")?.as_str());
    id(text.ok_or_else(|| broken("selectedAudiences are ids, or objects with an id"))?)
}
