//! Audiences, and the numbering of each workspace.

use async_trait::async_trait;
use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use domain::{
    audience::{Audience, AudienceData, COLLECTION, Icon, Tags},
    shared::{AudienceId, AudienceName, Epoch, Instant, UserId, WorkspaceId, fold_key, plain_key},
};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{AudienceFilter, AudiencePage, AudienceRepository, AudienceSort},
};

use super::{Backend, Conn, changes, contents, references, schedules};
use crate::{
    core::{
        error::{changed_one, store},
        types::{At, Json},
    },
    schema::audience::{audience_numbers, audiences},
};

/// Audiences of one transaction.
pub(super) struct Audiences<'c>(pub(super) &'c mut Conn);

#[derive(Queryable, Selectable)]
#[diesel(table_name = audiences)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct AudienceRow {
    id: i64,
    workspace: String,
    number: i64,
    name: String,
    tags: Json,
    icon: Option<String>,
    status: String,
    kind: String,
    source_id: String,
    visibility: String,
    version: i64,
    epoch: i64,
    contacts: i64,
    definition: Json,
    resource: i32,
    unsubscribed: i64,
    created_by: String,
    created_at: At,
    updated_at: At,
    deleted_at: Option<At>,
}

impl TryFrom<AudienceRow> for Audience {
    type Error = StoreError;

    fn try_from(row: AudienceRow) -> Result<Self, StoreError> {
        let corrupt = |what| move |_| StoreError::Corrupt(what);
        let tags = serde_json::from_value(row.tags.0)
            .map_err(|_| StoreError::Corrupt("tags of an audience"))?;
        Ok(Self::from_stored(AudienceData {
            id: AudienceId::from_raw(row.id),
            workspace: WorkspaceId::parse(&row.workspace)
                .map_err(|_| StoreError::Corrupt("workspace of an audience"))?,
            number: row.number,
            name: AudienceName::parse(&row.name)
                .map_err(|_| StoreError::Corrupt("name of an audience"))?,
            tags: Tags::from_stored(tags),
            icon: row
                .icon
                .map(|icon| Icon::parse(&icon))
                .transpose()
                .map_err(|_| StoreError::Corrupt("icon of an audience"))?,
            status: row
                .status
                .parse()
                .map_err(corrupt("status of an audience"))?,
            kind: row.kind.parse().map_err(corrupt("kind of an audience"))?,
            source: row
                .source_id
                .parse()
                .map_err(corrupt("source of an audience"))?,
            visibility: row
                .visibility
                .parse()
                .map_err(corrupt("visibility of an audience"))?,
            version: row.version,
            epoch: Epoch(row.epoch),
            contacts: row.contacts,
            definition: serde_json::from_value(row.definition.0)
                .map_err(|_| StoreError::Corrupt("conditions of an audience"))?,
            resource: row.resource != 0,
            unsubscribed: row.unsubscribed,
            created_by: UserId::parse(&row.created_by)
                .map_err(|_| StoreError::Corrupt("creator of an audience"))?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            deleted_at: row.deleted_at.map(|at| at.0),
        }))
    }
}

/// The members that `save` writes, and `add` as well.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = audiences)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
struct Metadata<'a> {
    name: &'a str,
    name_key: String,
    tags: Json,
    tags_key: String,
    search_key: String,
    icon: Option<&'a str>,
    status: &'static str,
    kind: &'static str,
    definition: Json,
    audience_type: &'static str,
    asks_for_scores: i32,
    unsubscribed: i64,
    visibility: &'static str,
    version: i64,
    updated_at: At,
    deleted_at: Option<At>,
}

impl<'a> TryFrom<&'a Audience> for Metadata<'a> {
    type Error = StoreError;

    fn try_from(audience: &'a Audience) -> Result<Self, StoreError> {
        let tags = audience.tags.as_slice();
        let definition = serde_json::to_value(&audience.definition)
            .map_err(|error| StoreError::Internal(Box::new(error)))?;
        Ok(Self {
            name: audience.name.as_str(),
            name_key: audience.name.key(),
            tags: Json(tags.into()),
            tags_key: tags.iter().fold(TAG_END.to_owned(), |keys, tag| {
                keys + &fold_key(tag) + TAG_END
            }),
            search_key: tags
                .iter()
                .fold(plain_key(audience.name.as_str()), |keys, tag| {
                    keys + TAG_END + &plain_key(tag)
                }),
            icon: audience.icon.as_ref().map(Icon::as_str),
            status: audience.status.as_str(),
            kind: audience.kind.as_str(),
            definition: Json(definition),
            audience_type: audience.definition.audience_type.as_str(),
            asks_for_scores: audience.definition.asks_for_scores().into(),
            unsubscribed: audience.unsubscribed,
            visibility: audience.visibility.as_str(),
            version: audience.version,
            updated_at: At(audience.updated_at),
            deleted_at: audience.deleted_at.map(At),
        })
    }
}

/// Stands before, between and after the keys of tags; no tag contains it.
pub(super) const TAG_END: &str = "\n";

/// A pattern for texts that contain `part` literally; `\` escapes.
pub(super) fn containing(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The next number of a workspace, which is created on first use.
async fn next_number(conn: &mut Conn, workspace: &WorkspaceId) -> Result<i64, StoreError> {
    diesel::insert_into(audience_numbers::table)
        .values((
            audience_numbers::workspace.eq(workspace.as_str()),
            audience_numbers::last_number.eq(1),
        ))
        .on_conflict(audience_numbers::workspace)
        .do_update()
        .set(audience_numbers::last_number.eq(audience_numbers::last_number + 1))
        .returning(audience_numbers::last_number)
        .get_result(conn)
        .await
        .map_err(store)
}

#[async_trait]
impl AudienceRepository for Audiences<'_> {
    async fn add(&mut self, audience: &mut Audience) -> Result<(), StoreError> {
        let number = next_number(self.0, &audience.workspace).await?;
        audience.give_number(number);
        diesel::insert_into(audiences::table)
            .values((
                audiences::id.eq(audience.id.raw()),
                audiences::workspace.eq(audience.workspace.as_str()),
                audiences::number.eq(number),
                audiences::source_id.eq(audience.source.as_str()),
                audiences::collection.eq(COLLECTION),
                audiences::epoch.eq(audience.epoch.0),
                audiences::last_epoch.eq(audience.epoch.0),
                audiences::contacts.eq(audience.contacts),
                audiences::resource.eq(i32::from(audience.resource)),
                audiences::created_by.eq(audience.created_by.as_str()),
                audiences::created_at.eq(At(audience.created_at)),
                Metadata::try_from(&*audience)?,
            ))
            .execute(self.0)
            .await
            .map_err(store)?;
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        contents::insert(self.0, key, audience.contacts, (0, 1)).await?;
        references::write(self.0, audience).await?;
        follow(self.0, audience).await?;
        match audience.refreshes_by_itself() {
            true => schedules::keep(self.0, audience).await,
            false => Ok(()),
        }
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<Option<Audience>, StoreError> {
        get(self.0, workspace, id).await
    }

    async fn save(&mut self, audience: &Audience, expected_version: i64) -> Result<(), StoreError> {
        diesel::update(audiences::table.find(audience.id.raw()))
            .filter(audiences::workspace.eq(audience.workspace.as_str()))
            .filter(audiences::version.eq(expected_version))
            .set(Metadata::try_from(audience)?)
            .execute(self.0)
            .await
            .map_err(store)
            .and_then(changed_one)?;
        references::write(self.0, audience).await?;
        follow(self.0, audience).await?;
        schedules::keep(self.0, audience).await
    }

    async fn flip_epoch(
        &mut self,
        id: AudienceId,
        from: Epoch,
        to: Epoch,
        now: Instant,
    ) -> Result<(), StoreError> {
        let content = contents::get(
            self.0,
            ContentKey {
                audience: id,
                epoch: to,
            },
        )
        .await?
        .ok_or(StoreError::Corrupt(
            "pointer to a content that does not exist",
        ))?;
        diesel::update(audiences::table.find(id.raw()))
            .filter(audiences::epoch.eq(from.0))
            .set((
                audiences::epoch.eq(to.0),
                audiences::contacts.eq(content.contacts),
                audiences::updated_at.eq(At(now)),
            ))
            .execute(self.0)
            .await
            .map_err(store)
            .and_then(changed_one)
    }
}

/// The workspace of a live audience queues changes.
async fn follow(conn: &mut Conn, audience: &Audience) -> Result<(), StoreError> {
    match audience.is_live() {
        true => changes::begin(conn, &audience.workspace, audience.updated_at).await,
        false => Ok(()),
    }
}

/// The audience of a number.
pub(super) async fn of_number(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    number: i64,
) -> Result<Option<Audience>, StoreError> {
    let of_number = audiences::table.filter(audiences::number.eq(number));
    one(conn, workspace, of_number.into_boxed()).await
}

/// One audience of a workspace.
pub(super) async fn get(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: AudienceId,
) -> Result<Option<Audience>, StoreError> {
    one(
        conn,
        workspace,
        audiences::table.find(id.raw()).into_boxed(),
    )
    .await
}

async fn one(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    wanted: audiences::BoxedQuery<'_, Backend>,
) -> Result<Option<Audience>, StoreError> {
    wanted
        .filter(audiences::workspace.eq(workspace.as_str()))
        .select(AudienceRow::as_select())
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .map(Audience::try_from)
        .transpose()
}

/// A page of a workspace's audiences.
pub(super) async fn list(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    filter: &AudienceFilter,
    page: &AudiencePage,
) -> Result<Vec<Audience>, StoreError> {
    let mut query = audiences::table
        .filter(audiences::workspace.eq(workspace.as_str()))
        // Written out, because a partial index is not used for a parameter.
        .filter(sql::<Bool>("visibility = 'ready'"))
        .select(AudienceRow::as_select())
        .limit(page.limit)
        .into_boxed::<Backend>();
    if let Some(search) = &filter.search {
        let pattern = containing(&fold_key(search));
        let name = audiences::name_key.like(pattern.clone()).escape('\\');
        query = query.filter(name.or(audiences::tags_key.like(pattern).escape('\\')));
    }
    if let Some(tag) = &filter.tag {
        let pattern = containing(&format!("{TAG_END}{}{TAG_END}", fold_key(tag)));
        query = query.filter(audiences::tags_key.like(pattern).escape('\\'));
    }
    if let Some(status) = filter.status {
        query = query.filter(audiences::status.eq(status.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(audiences::kind.eq(kind.as_str()));
    }
    query = match filter.deleted {
        Some(true) => query.filter(audiences::deleted_at.is_not_null()),
        Some(false) => query.filter(audiences::deleted_at.is_null()),
        None => query,
    };
    query = match page.sort {
        AudienceSort::CreatedAsc => query.order(audiences::id.asc()),
        AudienceSort::CreatedDesc => query.order(audiences::id.desc()),
        AudienceSort::NameAsc => query.order((audiences::name_key.asc(), audiences::id.asc())),
        AudienceSort::NameDesc => query.order((audiences::name_key.desc(), audiences::id.desc())),
        AudienceSort::NumberAsc => query.order(audiences::number.asc()),
    };
    if let Some(after) = &page.after {
        let (name, id) = (after.name_key.as_str(), after.id.raw());
        // The first of two filters bounds the index range, the second one breaks ties.
        query = match page.sort {
            AudienceSort::CreatedAsc => query.filter(audiences::id.gt(id)),
            AudienceSort::CreatedDesc => query.filter(audiences::id.lt(id)),
            AudienceSort::NameAsc => query
                .filter(audiences::name_key.ge(name))
                .filter(audiences::name_key.gt(name).or(audiences::id.gt(id))),
            AudienceSort::NameDesc => query
                .filter(audiences::name_key.le(name))
                .filter(audiences::name_key.lt(name).or(audiences::id.lt(id))),
            AudienceSort::NumberAsc => query.filter(audiences::number.gt(after.number)),
        };
    }
    let rows: Vec<AudienceRow> = query.load(conn).await.map_err(store)?;
    rows.into_iter().map(Audience::try_from).collect()
}
