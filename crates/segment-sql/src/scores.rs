//! The statement that scores buyers.

use domain::segment::RfmScores;

use crate::dialect::Dialect;

/// Buyers below whom there are no scores: quintiles of fewer say nothing.
const FEWEST: u32 = 5;

/// Writes the scores of all buyers of a workspace into `customer_scores`. Parameters: the workspace, the name
/// of the event, the first and the last instant of the window. Quintiles are by rank; who is equal has
/// the same score.
pub fn score_buyers(dialect: &dyn Dialect) -> String {
    let money = dialect.sum("COALESCE(e.amount, 0)");
    let [workspace, event, first, last] = [1, 2, 3, 4].map(|number| dialect.numbered(number));
    let quintile =
        |by: &str| format!("(RANK() OVER (ORDER BY {by}) - 1) * 5 / COUNT(*) OVER () + 1");
    let (recency, frequency, monetary) = (
        quintile("last_at"),
        quintile("purchases"),
        quintile("money"),
    );
    let cell = cell();
    format!(
        "WITH buyers AS (
             SELECT e.customer AS customer, MAX(e.occurred_at) AS last_at, COUNT(*) AS purchases,
                    CAST({money} AS BIGINT) AS money
             FROM customer_events AS e
             WHERE e.workspace = {workspace} AND e.name = {event}
               AND e.occurred_at >= {first} AND e.occurred_at <= {last}
             GROUP BY e.customer),
         scored AS (
             SELECT customer, last_at, purchases, money, COUNT(*) OVER () AS buyers,
                    {recency} AS recency, {frequency} AS frequency, {monetary} AS monetary
             FROM buyers)
         INSERT INTO customer_scores
             (workspace, customer, recency, frequency, monetary, cell, last_at, purchases, money)
         SELECT {workspace}, customer, recency, frequency, monetary, {cell}, last_at, purchases, money
         FROM scored WHERE buyers >= {FEWEST}"
    )
}

/// The cell of scores, by the table of [`RfmScores::cell`].
fn cell() -> String {
    let mut text = String::from("CASE recency * 10 + (frequency + monetary + 1) / 2");
    for recency in 1..=5_u8 {
        for worth in 1..=5_u8 {
            let scores = RfmScores {
                recency,
                frequency: worth,
                monetary: worth,
            };
            let cell = scores.cell();
            text.push_str(&format!(" WHEN {} THEN '{cell}'", recency * 10 + worth));
        }
    }
    text + " END"
}
