//! Reading many customers.

use api_types::{
    List,
    customers::{ClientCountJson, CountJson, CustomerJson, FoundJson, LookUpCustomer, TagJson},
};
use domain::{
    contact::Document,
    customer::{Address, Channel, ConsentStatus, Customer, CustomerId, Identity},
    importing::ExternalId,
};
use http_kit::{
    Answer, ApiResult, JsonBody, Problem, Query,
    paging::{self, Part},
};
use ports::store::{CustomerCounts, CustomerFilter, CustomerLookup, TagCount};
use serde::Deserialize;
use utoipa::IntoParams;

use super::json::{client, customer_json};
use crate::{AppError, http::Caller};

/// Which customers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Carries this label, without regard to case.
    tag: Option<String>,
    /// Came from this client's CRM.
    client_id: Option<String>,
    /// `import` or `api`.
    source: Option<String>,
    /// A channel and what was said about it, such as `sms:denied`.
    consent: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists customers in the order of their numbers.
#[utoipa::path(
    get, path = "/customers", tag = "customers", operation_id = "listCustomers",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<CustomerJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list(caller: Caller, Query(which): Query<Which>) -> ApiResult {
    let cursors = caller.cursors("customers");
    let mut filter = filter(&which)?;
    let after: Option<i64> = cursors.open(which.cursor.as_deref())?;
    filter.after = after.map(CustomerId::from_raw);
    let page = caller
        .app
        .customers
        .read
        .list(&caller.actor, filter)
        .await?;
    let position = |last: &Customer| last.id.raw();
    Ok(Answer::ok(&cursors.page(page, position, customer_json)))
}

fn filter(which: &Which) -> Result<CustomerFilter, Problem> {
    let imported = match which.source.as_deref() {
        None => None,
        Some("import") => Some(true),
        Some("api") => Some(false),
        Some(_) => return Err(unknown("/source", "one of import, api")),
    };
    if which.tag.as_deref().is_some_and(|tag| tag.contains('\0')) {
        return Err(AppError::invalid("/tag", "contains_nul", "must not contain NUL").into());
    }
    let client = which.client_id.as_deref();
    let client = client.map(|text| self::client("/client_id", text));
    Ok(CustomerFilter {
        tag: which.tag.clone(),
        client: client.transpose()?,
        imported,
        consent: which.consent.as_deref().map(consent).transpose()?,
        after: None,
        limit: i64::from(paging::limit(which.limit.as_deref())?),
    })
}

fn consent(text: &str) -> Result<(Channel, ConsentStatus), Problem> {
    let parts = text
        .split_once(':')
        .and_then(|(channel, status)| Some((channel.parse().ok()?, status.parse().ok()?)));
    parts.ok_or_else(|| unknown("/consent", "a channel, a colon, and granted or denied"))
}

fn unknown(pointer: &str, detail: &str) -> Problem {
    AppError::invalid(pointer, "unknown_value", detail).into()
}

/// Finds customers by what must not be in a URL. People are not merged, so several may share it.
#[utoipa::path(
    post, path = "/customers/lookup", tag = "customers", operation_id = "lookUpCustomers",
    request_body = LookUpCustomer,
    responses(
        (status = 200, description = "Who was found", body = FoundJson),
        (status = 422, description = "Not one thing to look up by"),
    ),
)]
pub async fn look_up(caller: Caller, JsonBody(body): JsonBody<LookUpCustomer>) -> ApiResult {
    let by = lookup(body)?;
    let found = caller
        .app
        .customers
        .read
        .look_up(&caller.actor, &by)
        .await?;
    let data = found.into_iter().map(customer_json).collect();
    Ok(Answer::ok(&FoundJson { data }))
}

fn lookup(body: LookUpCustomer) -> Result<CustomerLookup, Problem> {
    let external_id = body.external_id.filter(|id| !id.is_null());
    match (
        body.document,
        body.phone,
        body.email,
        external_id,
        body.client_id,
    ) {
        (Some(text), None, None, None, None) => {
            let document = Document::parse(&text)
                .map_err(|error| AppError::invalid("/document", error.code(), error.to_string()))?;
            Ok(CustomerLookup::Document(document))
        }
        (None, Some(text), None, None, None) => {
            let phone = value("/phone", &text, Address::phone)?;
            Ok(CustomerLookup::Phone(phone))
        }
        (None, None, Some(text), None, None) => {
            let email = value("/email", &text, Address::email)?;
            Ok(CustomerLookup::Email(email))
        }
        (None, None, None, Some(id), of) => {
            let external_id = ExternalId::parse(&id).map_err(|code| {
                let detail = "an integer or a text of at most 128 bytes";
                AppError::invalid("/external_id", code, detail)
            })?;
            Ok(CustomerLookup::Identity(match of {
                None => Identity::External(external_id),
                Some(text) => Identity::Imported {
                    client: client("/client_id", &text)?,
                    external_id,
                },
            }))
        }
        _ => {
            let detail = "give one of document, phone, email and external_id";
            Err(AppError::invalid("", "one_expected", detail).into())
        }
    }
}

/// A normalised address. Nothing that is stored contains NUL, and not every store takes it.
fn value(pointer: &str, text: &str, read: fn(&str) -> Address) -> Result<String, Problem> {
    if text.contains('\0') {
        return Err(AppError::invalid(pointer, "contains_nul", "must not contain NUL").into());
    }
    Ok(read(text).value)
}

fn count_json(counts: CustomerCounts) -> CountJson {
    let client = |count: ports::store::ClientCount| ClientCountJson {
        client_id: count.client.as_str().to_owned(),
        slug: count.slug,
        customers: count.customers,
    };
    CountJson {
        total: counts.total,
        by_client: counts.by_client.into_iter().map(client).collect(),
    }
}

/// Counts customers, exactly, at the same cost however many there are.
#[utoipa::path(
    get, path = "/customers/count", tag = "customers", operation_id = "countCustomers",
    responses((status = 200, description = "How many", body = CountJson)),
)]
pub async fn count(caller: Caller) -> ApiResult {
    let counts = caller.app.customers.read.counts(&caller.actor).await?;
    Ok(Answer::ok(&count_json(counts)))
}

fn tag_json(count: TagCount) -> TagJson {
    TagJson {
        tag: count.label,
        customers: count.customers,
    }
}

/// Lists the labels of customers, alphabetically without regard to case.
#[utoipa::path(
    get, path = "/customers/tags", tag = "customers", operation_id = "listCustomerTags",
    params(Part),
    responses(
        (status = 200, description = "A page", body = List<TagJson>),
        (status = 400, description = "`invalid_cursor`"),
    ),
)]
pub async fn tags(caller: Caller, Query(which): Query<Part>) -> ApiResult {
    let limit = paging::limit(which.limit.as_deref())?;
    let cursors = caller.cursors("customer_tags");
    let after: Option<String> = cursors.open(which.cursor.as_deref())?;
    let tags = caller
        .app
        .customers
        .read
        .tags(&caller.actor, after.as_deref(), i64::from(limit));
    let position = |last: &TagCount| last.key.clone();
    Ok(Answer::ok(&cursors.page(tags.await?, position, tag_json)))
}
