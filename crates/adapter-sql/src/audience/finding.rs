//! Finding audiences by any of their members, in any order.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::Audience,
    shared::{WorkspaceId, fold_key, plain_key},
};
use ports::{
    StoreError,
    store::{FindAudiences, SortBy},
};

use super::{
    Backend, Conn,
    audiences::{AudienceRow, TAG_END, containing},
    dialect,
};
use crate::{core::error::store, schema::audience::audiences};

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
            let plain = plain_key(search);
            let pattern = containing(&plain);
            query = query.filter(audiences::search_key.like(pattern).escape('\\'));
            if let Some([found, by, end]) =
                dialect::TRIGRAMS.filter(|_| plain.chars().count() >= TRIGRAM)
            {
                let part = sql::<Bool>(found).bind::<Text, _>(workspace.as_str().to_owned());
                query = query.filter(part.sql(by).bind::<Text, _>(plain).sql(end));
            }
        }
        if let Some(statuses) = &find.statuses {
            let statuses: Vec<&str> = statuses.iter().map(|s| s.as_str()).collect();
            // Of one, an index has the rows in their order.
            query = match statuses.as_slice() {
                [status] => query.filter(audiences::status.eq(*status)),
                _ => query.filter(audiences::status.eq_any(statuses)),
            };
        }
        query = match find.types.as_slice() {
            [] => query,
            [one] => query.filter(audiences::audience_type.eq(*one)),
            types => query.filter(audiences::audience_type.eq_any(types.to_vec())),
        };
        if !find.tags.is_empty() {
            let tags: Vec<String> = find.tags.iter().map(|tag| fold_key(tag)).collect();
            if let Some([found, by, end]) = dialect::LINES {
                let any = sql::<Bool>(found).bind::<Text, _>(workspace.as_str().to_owned());
                let lines = tags.join(TAG_END);
                query = query.filter(any.sql(by).bind::<Text, _>(lines).sql(end));
            }
            let patterns = tags.iter().map(|tag| {
                let pattern = containing(&format!("{TAG_END}{tag}{TAG_END}"));
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
            query = query.filter(sql::<Bool>("asks_for_scores = 1"));
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
    let query = matching()
        .select(AudienceRow::as_select())
        .offset(find.offset)
        .limit(find.limit);
    let rows: Vec<AudienceRow> = sorted(query, &find.sort)
        .then_order_by(audiences::id.asc())
        .load(conn)
        .await
        .map_err(store)?;
    let found: Result<Vec<Audience>, StoreError> =
        rows.into_iter().map(Audience::try_from).collect();
    Ok((found?, total))
}

type Selected<'q> = audiences::BoxedQuery<
    'q,
    Backend,
    diesel::helper_types::SqlTypeOf<diesel::helper_types::AsSelect<AudienceRow, Backend>>,
>;

/// In the order that is asked for.
fn sorted<'q>(mut query: Selected<'q>, sort: &[(SortBy, bool)]) -> Selected<'q> {
    for (by, descending) in sort {
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
    query
}

/// Characters of the shortest text that has a trigram.
const TRIGRAM: usize = 3;

/// Members who did not say no wherever they said anything.
const ACTIVE: &str = "contacts - unsubscribed";

/// The live audiences of a workspace, in the order of ids.
pub(in super::super) async fn live(
    conn: &mut Conn,
    workspace: &WorkspaceId,
) -> Result<Vec<Audience>, StoreError> {
    let rows: Vec<AudienceRow> = audiences::table
        .filter(audiences::workspace.eq(workspace.as_str()))
        // Written out, because a partial index is not used for a parameter.
        .filter(sql::<Bool>("audience_type = 'live' AND deleted_at IS NULL"))
        .order(audiences::id)
        .select(AudienceRow::as_select())
        .load(conn)
        .await
        .map_err(store)?;
    let read: Result<Vec<_>, _> = rows.into_iter().map(Audience::try_from).collect();
    let mut read = read?;
    read.retain(Audience::is_live);
    Ok(read)
}
