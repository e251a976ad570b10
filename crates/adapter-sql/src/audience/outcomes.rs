//! Reported outcomes.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    contact::Document,
    recycle::{OutcomeFact, OutcomeFacts, OutcomeRecord},
    segment::Change,
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    store::{OutcomeQueries, OutcomeRepository},
};

use super::{
    Backend, Conn, Db, changes, direct,
    json_rows::{BatchRow, Column, Id, Millis, Value, batch_row, columns, json, rows as table},
};
use crate::{
    core::{error::store, types::At},
    schema::audience::{outcome_versions, outcomes},
};

/// Reports inserted by one statement.
const BATCH: usize = 5_000;

/// Outcomes of one transaction.
pub(super) struct Outcomes<'c>(pub(super) &'c mut Conn);

#[derive(QueryableByName)]
struct Added {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

#[derive(QueryableByName)]
struct Person {
    #[diesel(sql_type = Text)]
    document: String,
}

#[async_trait]
impl OutcomeRepository for Outcomes<'_> {
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        records: &[OutcomeRecord],
    ) -> Result<Vec<bool>, StoreError> {
        let version = lock_version(self.0, workspace).await?;
        let mut new = Vec::with_capacity(records.len());
        for batch in records.chunks(BATCH) {
            let numbers = (version + direct::limit(new.len()) + 1)..;
            let added = insert(self.0, workspace, batch, numbers.start).await?;
            new.extend(numbers.zip(batch).map(|(seq, _)| added.contains(&seq)));
        }
        if new.contains(&true) {
            let last = version + direct::limit(new.len());
            diesel::update(outcome_versions::table.find(workspace.as_str()))
                .set(outcome_versions::version.eq(last))
                .execute(self.0)
                .await
                .map_err(store)?;
            let reported = records.iter().zip(&new).filter(|(_, new)| **new);
            let keys = reported.map(|(record, _)| record.document.as_str());
            changes::changed(self.0, workspace, &Change::Outcome, keys).await?;
        }
        Ok(new)
    }
}

/// The workspace's last number. Other writers of the workspace wait until the transaction ends.
async fn lock_version(conn: &mut Conn, workspace: &WorkspaceId) -> Result<i64, StoreError> {
    diesel::insert_into(outcome_versions::table)
        .values((
            outcome_versions::workspace.eq(workspace.as_str()),
            outcome_versions::version.eq(0),
        ))
        .on_conflict(outcome_versions::workspace)
        .do_update()
        .set(outcome_versions::version.eq(outcome_versions::version))
        .returning(outcome_versions::version)
        .get_result(conn)
        .await
        .map_err(store)
}

batch_row! {
    struct NewRow<'a> {
        seq: i64,
        document: &'a str,
        channel: &'a str,
        outcome: &'a str,
        occurred_at: Millis,
        external_id: Option<&'a str>,
        recorded_at: Millis,
    }
}

/// Inserts what is not there yet, under numbers from `first` on, and answers the numbers used.
async fn insert(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    batch: &[OutcomeRecord],
    first: i64,
) -> Result<HashSet<i64>, StoreError> {
    let rows: Vec<NewRow<'_>> = (first..)
        .zip(batch)
        .map(|(seq, record)| NewRow {
            seq,
            document: record.document.as_str(),
            channel: &record.fact.channel,
            outcome: record.fact.outcome.as_str(),
            occurred_at: record.fact.occurred_at.into(),
            external_id: record.external_id.as_deref(),
            recorded_at: record.recorded_at.into(),
        })
        .collect();
    let (columns, table) = (columns::<NewRow<'_>>(), table::<NewRow<'_>>("$2"));
    let text = format!(
        "INSERT INTO outcomes (workspace, {columns}) SELECT $1, {columns} FROM {table} WHERE true
         ON CONFLICT DO NOTHING RETURNING seq"
    );
    let added: Vec<Added> = sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(json(&rows)?)
        .load(conn)
        .await
        .map_err(store)?;
    Ok(added.into_iter().map(|row| row.seq).collect())
}

/// Outcomes of a workspace.
fn of_workspace(workspace: &WorkspaceId) -> outcomes::BoxedQuery<'_, Backend> {
    outcomes::table
        .filter(outcomes::workspace.eq(workspace.as_str()))
        .into_boxed::<Backend>()
}

impl Db {
    /// The facts of rows, person by person.
    async fn facts(
        &self,
        rows: outcomes::BoxedQuery<'_, Backend>,
    ) -> Result<Vec<(Document, OutcomeFacts)>, StoreError> {
        let query = rows.order((outcomes::document, outcomes::seq)).select((
            outcomes::document,
            outcomes::channel,
            outcomes::outcome,
            outcomes::occurred_at,
        ));
        let rows: Vec<(String, String, String, At)> = query
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        let mut people: Vec<(Document, OutcomeFacts)> = Vec::new();
        for (document, channel, outcome, occurred_at) in rows {
            let outcome = outcome
                .parse()
                .map_err(|()| StoreError::Corrupt("kind of an outcome"))?;
            let fact = OutcomeFact {
                channel,
                outcome,
                occurred_at: occurred_at.0,
            };
            match people.last_mut() {
                Some((last, facts)) if last.as_str() == document => facts.0.push(fact),
                _ => people.push((Document::from_stored(document), OutcomeFacts(vec![fact]))),
            }
        }
        Ok(people)
    }
}

#[async_trait]
impl OutcomeQueries for Db {
    async fn facts_between(
        &self,
        workspace: &WorkspaceId,
        after: Option<&Document>,
        until: &Document,
    ) -> Result<Vec<(Document, OutcomeFacts)>, StoreError> {
        let mut query = of_workspace(workspace).filter(outcomes::document.le(until.as_str()));
        if let Some(after) = after {
            query = query.filter(outcomes::document.gt(after.as_str()));
        }
        self.facts(query).await
    }

    async fn facts_of(
        &self,
        workspace: &WorkspaceId,
        document: &Document,
    ) -> Result<OutcomeFacts, StoreError> {
        let query = of_workspace(workspace).filter(outcomes::document.eq(document.as_str()));
        let found = self.facts(query).await?.pop();
        Ok(found.map(|(_, facts)| facts).unwrap_or_default())
    }

    async fn opted_out_among(
        &self,
        workspace: &WorkspaceId,
        documents: &[Document],
    ) -> Result<Vec<Document>, StoreError> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let documents: Vec<Id<'_>> = documents
            .iter()
            .map(|document| Id {
                id: document.as_str(),
            })
            .collect();
        let text = format!(
            "SELECT DISTINCT document FROM outcomes
             WHERE workspace = $1 AND outcome = 'opted_out' AND document IN (SELECT id FROM {})",
            table::<Id<'_>>("$2"),
        );
        let rows: Vec<Person> = sql_query(text)
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(json(&documents)?)
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        let document = |row: Person| Document::from_stored(row.document);
        Ok(rows.into_iter().map(document).collect())
    }

    async fn opted_out(
        &self,
        workspace: &WorkspaceId,
        after: Option<&Document>,
        limit: i64,
    ) -> Result<Vec<Document>, StoreError> {
        let mut query = outcomes::table
            .filter(outcomes::workspace.eq(workspace.as_str()))
            // Written out, because a partial index is not used for a parameter.
            .filter(sql::<Bool>("outcome = 'opted_out'"))
            .select(outcomes::document)
            .distinct()
            .order(outcomes::document)
            .limit(limit)
            .into_boxed::<Backend>();
        if let Some(after) = after {
            query = query.filter(outcomes::document.gt(after.as_str()));
        }
        let rows: Vec<String> = query
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        Ok(rows.into_iter().map(Document::from_stored).collect())
    }

    async fn version(&self, workspace: &WorkspaceId) -> Result<i64, StoreError> {
        outcome_versions::table
            .find(workspace.as_str())
            .select(outcome_versions::version)
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)
            .map(Option::unwrap_or_default)
    }
}
