//! Resolving segments on the service's own store.

use async_trait::async_trait;
use diesel::{
    dsl::{max, min},
    prelude::*,
    sql_query,
    sql_types::{BigInt, Integer, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    segment::{Scope, SegmentQuery},
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    segments::{Member, MemberStream, ResolveError, SegmentCounts, SegmentResolver},
};
use segment_sql::{Missing, Want, statement};

use super::{Backend, Db, cursor::Cursor, dialect};
use crate::{core::error::store, schema::customer::customers};

/// Customers that one statement of a walk looks at.
const STEP: usize = 20_000;
/// Members that are read at a time of one statement.
const PART: usize = 10_000;

#[derive(QueryableByName)]
struct MemberRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    member_key: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Integer)]
    unsubscribed: i32,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            key: row.member_key,
            customer: Some(row.id),
            version: row.version,
            unsubscribed: row.unsubscribed != 0,
            given: None,
        }
    }
}

/// Counts, as one text of numbers between commas: how many there are depends on the conditions.
#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    counts: String,
}

const fn missing(Missing(what): Missing) -> ResolveError {
    ResolveError::Missing(what)
}

impl Db {
    async fn matching(
        &self,
        query: &SegmentQuery,
        limit: Option<i64>,
    ) -> Result<Vec<Member>, ResolveError> {
        let asked = statement(query, Want::Members(limit), dialect::SEGMENTS).map_err(missing)?;
        let boxed = sql_query(asked.text).into_boxed::<Backend>();
        let boxed = asked.params.into_iter().fold(boxed, dialect::bind);
        let mut conn = self.reader().await?;
        let rows: Vec<MemberRow> = boxed.load(&mut *conn).await.map_err(store)?;
        Ok(rows.into_iter().map(Member::from).collect())
    }

    /// The key of the customer who is `skip` customers behind a key, in the order of keys; of the last
    /// one where there are fewer, and `None` where there are none.
    async fn key_behind(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        skip: usize,
    ) -> Result<Option<String>, ResolveError> {
        let keys = || {
            customers::table
                .filter(customers::workspace.eq(workspace.as_str()))
                .select(customers::member_key)
                .into_boxed::<Backend>()
        };
        let after = after.unwrap_or_default();
        let offset = i64::try_from(skip.saturating_sub(1)).unwrap_or(i64::MAX);
        let mut conn = self.reader().await?;
        let behind: Option<String> = keys()
            .filter(customers::member_key.gt(after))
            .order(customers::member_key.asc())
            .offset(offset)
            .limit(1)
            .first(&mut *conn)
            .await
            .optional()
            .map_err(store)?;
        if behind.is_some() {
            return Ok(behind);
        }
        let last = keys()
            .filter(customers::member_key.gt(after))
            .order(customers::member_key.desc())
            .limit(1);
        let last: Option<String> = last.first(&mut *conn).await.optional().map_err(store)?;
        Ok(last)
    }
}

#[async_trait]
impl SegmentResolver for Db {
    async fn counts(&self, query: &SegmentQuery) -> Result<SegmentCounts, ResolveError> {
        let asked = statement(query, Want::Counts, dialect::SEGMENTS).map_err(missing)?;
        let boxed = sql_query(asked.text).into_boxed::<Backend>();
        let boxed = asked.params.into_iter().fold(boxed, dialect::bind);
        let mut conn = self.reader().await?;
        let row: CountRow = boxed.get_result(&mut *conn).await.map_err(store)?;
        let numbers: Result<Vec<i64>, _> = row.counts.split(',').map(str::parse).collect();
        let mut numbers = numbers
            .map_err(|_| StoreError::Corrupt("counts of a segment"))?
            .into_iter();
        Ok(SegmentCounts {
            matched: numbers.next().unwrap_or_default(),
            looked_at: numbers.next().unwrap_or_default(),
            by_condition: numbers.collect(),
            bytes: 0,
        })
    }

    async fn members(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<Vec<Member>, ResolveError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.matching(query, Some(limit)).await
    }

    async fn stream(&self, query: SegmentQuery) -> Result<Box<dyn MemberStream>, ResolveError> {
        let asked = statement(&query, Want::Members(None), dialect::SEGMENTS).map_err(missing)?;
        Ok(match Cursor::open(self, asked).await? {
            Some(cursor) => Box::new(Opened(cursor)),
            None => Box::new(Walk {
                db: self.clone(),
                query,
                after: None,
                ended: false,
            }),
        })
    }

    async fn keys(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ResolveError> {
        let keys: Vec<String> = customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .filter(customers::member_key.gt(after.unwrap_or_default()))
            .select(customers::member_key)
            .distinct()
            .order(customers::member_key.asc())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        Ok(keys)
    }

    async fn numbers(&self, workspace: &WorkspaceId) -> Result<Option<(i64, i64)>, ResolveError> {
        let (least, greatest): (Option<i64>, Option<i64>) = customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .select((min(customers::id), max(customers::id)))
            .first(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        Ok(least.zip(greatest))
    }
}

/// One statement over all customers, whose answer is read part by part.
struct Opened(Cursor);

#[async_trait]
impl MemberStream for Opened {
    async fn next(&mut self) -> Result<Vec<Member>, ResolveError> {
        let rows: Vec<MemberRow> = self.0.next(PART).await?;
        Ok(rows.into_iter().map(Member::from).collect())
    }
}

/// A walk through the customers in the order of their keys, range by range, so that no statement runs
/// long and none has more in memory than a range.
struct Walk {
    db: Db,
    query: SegmentQuery,
    after: Option<String>,
    ended: bool,
}

#[async_trait]
impl MemberStream for Walk {
    async fn next(&mut self) -> Result<Vec<Member>, ResolveError> {
        while !self.ended {
            let after = self.after.as_deref();
            let behind = self.db.key_behind(&self.query.workspace, after, STEP);
            let Some(until) = behind.await? else {
                self.ended = true;
                break;
            };
            self.query.scope = Scope::Keys {
                after: self.after.replace(until.clone()),
                until: Some(until),
            };
            let found = self.db.matching(&self.query, None).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}
