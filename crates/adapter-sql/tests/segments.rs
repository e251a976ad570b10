//! Segments have the members that the evaluator finds, on both databases.

use contract_tests::segments::resolvers_agree_with_the_evaluator;

/// Predicates that are compared on each database, in eight data sets of their own.
const PREDICATES: usize = 400;
const SEEDS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_those_of_the_evaluator_on_sqlite() {
    for seed in SEEDS {
        let db = test_kit::sqlite().await;
        resolvers_agree_with_the_evaluator(&*db, &*db, seed, PREDICATES).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_those_of_the_evaluator_on_postgres() {
    for seed in SEEDS {
        let Some(db) = test_kit::postgres().await else {
            return;
        };
        resolvers_agree_with_the_evaluator(&*db, &*db, seed, PREDICATES).await;
    }
}
