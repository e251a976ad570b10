//! Audiences, and the numbering of each workspace.

use async_trait::async_trait;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::{Audience, AudienceData, COLLECTION, Tags},
    shared::{AudienceId, AudienceName, Epoch, Instant, UserId, WorkspaceId, fold_key, plain_key},
};
use ports::{
    StoreError,
    contacts::ContentKey,
    store::{
        AudienceFilter, AudiencePage, AudienceRepository, AudienceSort, FindAudiences, SortBy,
    },
};

use super::{Backend, Conn, contents};
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
struct AudienceRow {
    id: i64,
    workspace: String,
    name: String,
    tags: Json,
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
            name: AudienceName::parse(&row.name)
                .map_err(|_| StoreError::Corrupt("name of an audience"))?,
            tags: Tags::from_stored(tags),
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
    status: &'static str,
    kind: &'static str,
    definition: Json,
    audience_type: &'static str,
    asks_for_scores: i32,
    resource: i32,
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
            status: audience.status.as_str(),
            kind: audience.kind.as_str(),
            definition: Json(definition),
            audience_type: audience.definition.audience_type.as_str(),
            asks_for_scores: audience.definition.asks_for_scores().into(),
            resource: audience.resource.into(),
            unsubscribed: audience.unsubscribed,
            visibility: audience.visibility.as_str(),
            version: audience.version,
            updated_at: At(audience.updated_at),
            deleted_at: audience.deleted_at.map(At),
        })
    }
}

/// Stands before, between and after the keys of tags; no tag contains it.
const TAG_END: &str = "\n";

/// A pattern for texts that contain `part` literally; `\` escapes.
fn containing(part: &str) -> String {
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
    async fn add(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let number = next_number(self.0, &audience.workspace).await?;
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
                audiences::created_by.eq(audience.created_by.as_str()),
                audiences::created_at.eq(At(audience.created_at)),
                Metadata::try_from(audience)?,
            ))
            .execute(self.0)
            .await
            .map_err(store)?;
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        contents::insert(self.0, key, audience.contacts, (0, 1))
            .await
            .map(drop)
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
            .and_then(changed_one)
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

/// One audience of a workspace.
pub(super) async fn get(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: AudienceId,
) -> Result<Option<Audience>, StoreError> {
    audiences::table
        .find(id.raw())
        .filter(audiences::workspace.eq(workspace.as_str()))
        .select(AudienceRow::as_select())
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .map(Audience::try_from)
        .transpose()
}

/// Audiences that are found, and how many there are.
pub(super) async fn find(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    find: &FindAudiences,
) -> Result<(Vec<Audience>, i64), StoreError> {
    let matching = || {
        let mut query = audiences::table
            .filter(audiences::workspace.eq(workspace.as_str()))
            .filter(sql::<Bool>("visibility = 'ready' AND deleted_at IS NULL"))
            .into_boxed::<Backend>();
        if let Some(search) = &find.search {
            let pattern = containing(&plain_key(search));
            query = query.filter(audiences::search_key.like(pattern).escape('\\'));
        }
        if let Some(statuses) = &find.statuses {
            let statuses: Vec<&str> = statuses.iter().map(|s| s.as_str()).collect();
            query = query.filter(audiences::status.eq_any(statuses));
        }
        if !find.types.is_empty() {
            query = query.filter(audiences::audience_type.eq_any(find.types.clone()));
        }
        if !find.tags.is_empty() {
            let patterns = find.tags.iter().map(|tag| {
                let pattern = containing(&format!("{TAG_END}{}{TAG_END}", fold_key(tag)));
                audiences::tags_key.like(pattern).escape('\\')
            });
            let mut any: Box<dyn BoxableExpression<audiences::table, Backend, SqlType = Bool>> =
                Box::new(sql::<Bool>("1 = 0"));
            for pattern in patterns {
                any = Box::new(any.or(pattern));
            }
            query = query.filter(any);
        }
        if find.asks_for_scores {
            query = query.filter(audiences::asks_for_scores.eq(1));
        }
        if let Some(resource) = find.resource {
            query = query.filter(audiences::resource.eq(i32::from(resource)));
        }
        if let Some(id) = find.but_for {
            query = query.filter(audiences::id.ne(id.raw()));
        }
        query
    };
    let total: i64 = matching().count().get_result(conn).await.map_err(store)?;
    let mut query = matching()
        .select(AudienceRow::as_select())
        .offset(find.offset)
        .limit(find.limit);
    for (by, descending) in &find.sort {
        query = match (by, descending) {
            (SortBy::Created, false) => query.then_order_by(audiences::id.asc()),
            (SortBy::Created, true) => query.then_order_by(audiences::id.desc()),
            (SortBy::Updated, false) => query.then_order_by(audiences::updated_at.asc()),
            (SortBy::Updated, true) => query.then_order_by(audiences::updated_at.desc()),
            (SortBy::Name, false) => query.then_order_by(audiences::name_key.asc()),
            (SortBy::Name, true) => query.then_order_by(audiences::name_key.desc()),
            (SortBy::Status, false) => query.then_order_by(audiences::status.asc()),
            (SortBy::Status, true) => query.then_order_by(audiences::status.desc()),
            (SortBy::Total, false) => query.then_order_by(audiences::contacts.asc()),
            (SortBy::Total, true) => query.then_order_by(audiences::contacts.desc()),
            (SortBy::Active, false) => query.then_order_by(sql::<BigInt>(ACTIVE).asc()),
            (SortBy::Active, true) => query.then_order_by(sql::<BigInt>(ACTIVE).desc()),
        };
    }
    let rows: Vec<AudienceRow> = query
        .then_order_by(audiences::id.asc())
        .load(conn)
        .await
        .map_err(store)?;
    let found: Result<Vec<Audience>, StoreError> =
        rows.into_iter().map(Audience::try_from).collect();
    Ok((found?, total))
}

/// Members who did not say no wherever they said anything.
const ACTIVE: &str = "contacts - unsubscribed";

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
    };
    if let Some((name, id)) = &page.after {
        let (name, id) = (name.as_str(), id.raw());
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
        };
    }
    let rows: Vec<AudienceRow> = query.load(conn).await.map_err(store)?;
    rows.into_iter().map(Audience::try_from).collect()
}
