//! Scores of buyers.

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use domain::{
    customer::{CustomerId, EventName},
    segment::{RfmScore, RfmScores},
    shared::{Instant, WorkspaceId},
};
use ports::{
    StoreError,
    store::{CutOff, ScoreRepository, ScoreSettings, ScoredCell},
};
use segment_sql::score_buyers;

use super::{Conn, dialect};
use crate::{
    core::{
        error::store,
        types::{At, UtcMillis},
    },
    schema::customer::{customer_scores, score_settings},
};

/// Scores of one transaction.
pub(super) struct Scores<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl ScoreRepository for Scores<'_> {
    async fn settings(
        &mut self,
        workspace: &WorkspaceId,
    ) -> Result<Option<ScoreSettings>, StoreError> {
        let row: Option<(String, i64, Option<At>)> = score_settings::table
            .find(workspace.as_str())
            .select((
                score_settings::event,
                score_settings::window_days,
                score_settings::scored_at,
            ))
            .first(self.0)
            .await
            .optional()
            .map_err(store)?;
        let read = |(event, days, at): (String, i64, Option<At>)| {
            Some(ScoreSettings {
                event: EventName::parse(&event)?,
                window_days: u32::try_from(days).ok()?,
                scored_at: at.map(|at| at.0),
            })
        };
        let corrupt = StoreError::Corrupt("what scores are made of");
        row.map(|row| read(row).ok_or(corrupt)).transpose()
    }

    async fn set(
        &mut self,
        workspace: &WorkspaceId,
        settings: &ScoreSettings,
    ) -> Result<(), StoreError> {
        let values = (
            score_settings::event.eq(settings.event.as_str()),
            score_settings::window_days.eq(i64::from(settings.window_days)),
            score_settings::scored_at.eq(settings.scored_at.map(At)),
        );
        diesel::insert_into(score_settings::table)
            .values((score_settings::workspace.eq(workspace.as_str()), values))
            .on_conflict(score_settings::workspace)
            .do_update()
            .set(values)
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn score(
        &mut self,
        workspace: &WorkspaceId,
        event: &EventName,
        (first, last): (Instant, Instant),
    ) -> Result<u64, StoreError> {
        let old = customer_scores::table.filter(customer_scores::workspace.eq(workspace.as_str()));
        diesel::delete(old).execute(self.0).await.map_err(store)?;
        self.0
            .batch_execute(dialect::FOR_ALL)
            .await
            .map_err(store)?;
        let scored = sql_query(score_buyers(dialect::SEGMENTS))
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(event.as_str())
            .bind::<UtcMillis, _>(At(first))
            .bind::<UtcMillis, _>(At(last))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(scored as u64)
    }
}

fn scores((recency, frequency, monetary): (i64, i64, i64)) -> Result<RfmScores, StoreError> {
    let score = |number: i64| {
        let number = u8::try_from(number).ok().filter(|n| (1..=5).contains(n));
        number.ok_or(StoreError::Corrupt("scores of a customer"))
    };
    Ok(RfmScores {
        recency: score(recency)?,
        frequency: score(frequency)?,
        monetary: score(monetary)?,
    })
}

/// The scores of a customer.
pub(super) async fn of(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customer: CustomerId,
) -> Result<Option<RfmScores>, StoreError> {
    let row: Option<(i64, i64, i64)> = customer_scores::table
        .find((workspace.as_str(), customer.raw()))
        .select((
            customer_scores::recency,
            customer_scores::frequency,
            customer_scores::monetary,
        ))
        .first(conn)
        .await
        .optional()
        .map_err(store)?;
    row.map(scores).transpose()
}

#[derive(QueryableByName)]
struct CellRow {
    #[diesel(sql_type = BigInt)]
    recency: i64,
    #[diesel(sql_type = BigInt)]
    frequency: i64,
    #[diesel(sql_type = BigInt)]
    monetary: i64,
    #[diesel(sql_type = BigInt)]
    customers: i64,
    #[diesel(sql_type = BigInt)]
    money: i64,
}

/// Scores and who has them.
pub(super) async fn cells(
    conn: &mut Conn,
    workspace: &WorkspaceId,
) -> Result<Vec<ScoredCell>, StoreError> {
    let money = segment_sql::Dialect::sum(dialect::SEGMENTS, "money");
    let text = format!(
        "SELECT recency, frequency, monetary, COUNT(*) AS customers, CAST({money} AS BIGINT) AS money
         FROM customer_scores WHERE workspace = $1
         GROUP BY recency, frequency, monetary ORDER BY recency, frequency, monetary"
    );
    let rows: Vec<CellRow> = sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .load(conn)
        .await
        .map_err(store)?;
    let cell = |row: CellRow| {
        Ok(ScoredCell {
            scores: scores((row.recency, row.frequency, row.monetary))?,
            customers: row.customers,
            money: row.money,
        })
    };
    rows.into_iter().map(cell).collect()
}

#[derive(QueryableByName)]
struct InstantRow {
    #[diesel(sql_type = BigInt)]
    score: i64,
    #[diesel(sql_type = UtcMillis)]
    value: At,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    score: i64,
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// Where scores begin.
pub(super) async fn cut_offs(
    conn: &mut Conn,
    workspace: &WorkspaceId,
) -> Result<Vec<CutOff>, StoreError> {
    let least = |score: RfmScore, column: &str| {
        format!(
            "SELECT {score} AS score, MIN({column}) AS value FROM customer_scores
             WHERE workspace = $1 GROUP BY {score} ORDER BY {score}"
        )
    };
    let mut all: Vec<(RfmScore, i64, i64)> = Vec::new();
    let instants: Vec<InstantRow> = sql_query(least(RfmScore::Recency, "last_at"))
        .bind::<Text, _>(workspace.as_str())
        .load(conn)
        .await
        .map_err(store)?;
    let millis = |row: InstantRow| (RfmScore::Recency, row.score, row.value.0.timestamp_millis());
    all.extend(instants.into_iter().map(millis));
    for (score, column) in [
        (RfmScore::Frequency, "purchases"),
        (RfmScore::Monetary, "money"),
    ] {
        let numbers: Vec<NumberRow> = sql_query(least(score, column))
            .bind::<Text, _>(workspace.as_str())
            .load(conn)
            .await
            .map_err(store)?;
        all.extend(numbers.into_iter().map(|row| (score, row.score, row.value)));
    }
    let cut = |(score, number, from)| {
        let number =
            u8::try_from(number).map_err(|_| StoreError::Corrupt("scores of a customer"))?;
        Ok(CutOff {
            score: (score, number),
            from,
        })
    };
    all.into_iter().map(cut).collect()
}
