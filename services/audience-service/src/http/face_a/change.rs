//! Creating, changing and copying audiences.

use domain::{
    audience::{Audience, AudienceChange, AudienceStatus, Definition, Source},
    shared::{AudienceName, one_of},
};
use http_kit::{Answer, ApiResult, Id, Idempotent, JsonBody, Problem};
use kernel::RequestId;

use super::{
    Locale,
    body::{Change, Command, Copy, New, id, name, tags},
    broken,
    json::Record,
    refused,
};
use crate::{AppError, contact::write::ContactItems, creation::CreationRequest, http::Caller};

/// Copies of one name that are tried.
const COPIES: u32 = 100;

/// Creates, changes or copies an audience, as `type` says.
#[utoipa::path(
    post, path = "/{locale}/api/audience", tag = "audience", operation_id = "changeGatewayAudience",
    request_body = Command,
    params(("locale" = String, Path, description = "A language, such as `es` or `pt-BR`")),
    responses(
        (status = 200, description = "The audience", body = Record),
        (status = 400, description = "A rule is broken, the name is taken, or nobody says who calls"),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "It is in use"),
    ),
)]
pub async fn post(
    caller: Caller,
    Id(Locale): Id<Locale>,
    Idempotent(once, JsonBody(command)): Idempotent<JsonBody<Command, 400>>,
) -> ApiResult {
    once.run(move |request_id| async move {
        let changed = match command {
            Command::Created(new) => created(&caller, request_id, new).await?,
            Command::Described(change) => {
                if change.conditions.are_named() || change.status.is_some() {
                    return Err(broken("this type changes name and tags only"));
                }
                updated(&caller, request_id, change).await?
            }
            Command::Updated(change) => updated(&caller, request_id, change).await?,
            Command::Duplicated(copy) => duplicated(&caller, request_id, copy).await?,
        };
        Ok(Answer::ok(&changed))
    })
    .await
}

fn status(text: Option<&str>) -> Result<Option<AudienceStatus>, Problem> {
    let status = text.map(|text| one_of("/status", text, AudienceStatus::CHOSEN));
    let status = status.transpose();
    status.map_err(|violation| refused(AppError::Invalid(vec![violation])))
}

async fn created(caller: &Caller, request_id: RequestId, new: New) -> Result<Record, Problem> {
    let wanted = status(new.status.as_deref())?.unwrap_or(AudienceStatus::Draft);
    let request = CreationRequest {
        name: name(&new.name)?,
        tags: tags(&new.tags)?,
        icon: None,
        status: AudienceStatus::Draft,
        definition: new.conditions.over(&Definition::default())?,
        source: Source::Segment,
        contacts: ContactItems::default(),
    };
    let audience = create(caller, request_id, request, wanted).await?;
    Ok(Record::from(&audience))
}

/// Creates an audience as a draft and makes it what is wanted.
async fn create(
    caller: &Caller,
    request_id: RequestId,
    request: CreationRequest,
    wanted: AudienceStatus,
) -> Result<Audience, Problem> {
    let (app, actor) = (&caller.app, &caller.actor);
    let define = &app.segments.define;
    let checked = define.check(actor, None, &request.definition, wanted).await;
    checked.map_err(refused)?;
    let created = app.create.execute(actor, request_id, request).await;
    let audience = created.map_err(refused)?.audience;
    if wanted == AudienceStatus::Draft {
        return Ok(audience);
    }
    let published = define
        .publish(actor, caller.request_id(), audience.id, wanted)
        .await;
    Ok(published.map_err(refused)?.audience)
}

async fn updated(
    caller: &Caller,
    request_id: RequestId,
    change: Change,
) -> Result<Record, Problem> {
    let (app, actor, id) = (&caller.app, &caller.actor, id(&change.id)?);
    let mut audience = app.find.visible(actor, id).await.map_err(refused)?;
    if audience.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    let wanted = status(change.status.as_deref())?;
    let described = AudienceChange {
        name: change.name.as_deref().map(name).transpose()?,
        tags: change.tags.as_deref().map(tags).transpose()?,
        icon: None,
        // Becoming active may have to wait for the members.
        status: wanted.filter(|status| *status == AudienceStatus::Draft),
    };
    let define = &app.segments.define;
    let changed = match change.conditions.are_named() {
        true => {
            let definition = change.conditions.over(&audience.definition)?;
            let status = wanted.unwrap_or(audience.status);
            let checked = define.check(actor, Some(id), &definition, status).await;
            checked.map_err(refused)?;
            let defined = define
                .with(actor, request_id, id, None, described, definition)
                .await;
            defined.map(|defined| defined.audience)
        }
        false => app.change.change(actor, id, None, described).await,
    };
    audience = changed.map_err(refused)?;
    if wanted == Some(AudienceStatus::Active) {
        let published = define
            .publish(actor, caller.request_id(), id, AudienceStatus::Active)
            .await;
        audience = published.map_err(refused)?.audience;
    }
    Ok(Record::from(&audience))
}

async fn duplicated(caller: &Caller, request_id: RequestId, copy: Copy) -> Result<Record, Problem> {
    let (app, actor, id) = (&caller.app, &caller.actor, id(&copy.id)?);
    let source = app.find.visible(actor, id).await.map_err(refused)?;
    if source.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    let asked = copy.name.as_deref().map(name).transpose()?;
    let tags = match &copy.tags {
        Some(labels) => tags(labels)?,
        None => source.tags.clone(),
    };
    for number in 1..=COPIES {
        let name = match &asked {
            Some(name) => name.clone(),
            None => proposed(&source, number)?,
        };
        let made = match source.definition.is_segment() {
            true => {
                let request = CreationRequest {
                    name,
                    tags: tags.clone(),
                    icon: source.icon.clone(),
                    status: AudienceStatus::Draft,
                    definition: source.definition.clone(),
                    source: Source::Segment,
                    contacts: ContactItems::default(),
                };
                let created = app.create.execute(actor, request_id, request).await;
                created.map(|created| Record::from(&created.audience))
            }
            false => copied(caller, request_id, &source, name).await,
        };
        match made {
            Err(AppError::Conflict {
                code: "name_taken", ..
            }) if asked.is_none() => {}
            made => return made.map_err(refused),
        }
    }
    Err(broken("the audience has a hundred copies"))
}

/// A copy of the contacts of a list, which is made in the background.
async fn copied(
    caller: &Caller,
    request_id: RequestId,
    source: &Audience,
    name: AudienceName,
) -> Result<Record, AppError> {
    let (app, actor) = (&caller.app, &caller.actor);
    let accepted = app
        .duplicate
        .execute(actor, request_id, source.id, Some(name))
        .await?;
    let copy = app.find.any(&actor.workspace, accepted.audience).await?;
    let mut record = Record::from(&copy);
    record.status = AudienceStatus::InProgress.as_str();
    Ok(record)
}

/// The name that a copy gets where none is asked for.
fn proposed(source: &Audience, number: u32) -> Result<AudienceName, Problem> {
    const MOST: usize = 255;
    let suffix = match number {
        1 => String::new(),
        number => format!(" ({number})"),
    };
    let room = MOST - "Copy of ".len() - suffix.len();
    let kept: String = source.name.as_str().chars().take(room).collect();
    name(&format!("Copy of {kept}{suffix}"))
}
