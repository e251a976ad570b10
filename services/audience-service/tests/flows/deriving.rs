//! Making audiences of others, cut off and taken up again.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use audience_service::{AppError, control::Pool, derive::DeriveRequest, operation::Accepted};
use domain::{
    audience::{AudienceStatus, Percent, Recipe, Tags},
    operation::OperationState,
    shared::{AudienceId, AudienceName},
};
use ports::{crash, store::Durability};

use crate::rig::Rig;

async fn small_steps() -> Rig {
    Rig::with(|ports| ports.steps.judged = 3).await
}

fn percent(text: &str) -> Percent {
    Percent::new(text.parse().unwrap()).unwrap()
}

fn split(names: &[&str]) -> (Recipe, Vec<AudienceName>) {
    let recipe = Recipe::Split {
        seed: "s".to_owned(),
        parts: names.iter().map(|_| percent("25")).collect(),
    };
    let names = names.iter().map(|name| AudienceName::parse(name).unwrap());
    (recipe, names.collect())
}

impl Rig {
    async fn derive(
        &self,
        of: &[AudienceId],
        (recipe, names): (Recipe, Vec<AudienceName>),
    ) -> Accepted {
        let request = DeriveRequest {
            recipe,
            of: of.to_vec(),
            names,
            tags: Tags::default(),
            status: AudienceStatus::Active,
        };
        let derive = &self.app.derive;
        let actor = self.actor();
        let accepted = derive.execute(&actor, self.request_id(), request);
        accepted.await.unwrap()
    }

    /// The one of this name that readers see.
    async fn named(&self, name: &str) -> Option<AudienceId> {
        let command = audience_service::audience::ListAudiences {
            filter: ports::store::AudienceFilter {
                search: Some(name.to_owned()),
                deleted: Some(false),
                ..Default::default()
            },
            page: ports::store::AudiencePage {
                limit: 10,
                ..Default::default()
            },
        };
        let found = self.app.find.list(&self.actor(), command).await.unwrap().0;
        found.first().map(|audience| audience.id)
    }
}

/// Documents `d01` to `dNN`, each of which is in the list when its number is a multiple of `step`.
fn numbered(step: usize) -> Vec<String> {
    let numbers = (1..=40).filter(|n| n % step == 0);
    numbers.map(|n| format!("D{n:02}")).collect()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cut_off_after_any_step_goes_on_exactly() {
    let rig = small_steps().await;
    let (twos, threes) = (numbered(2), numbered(3));
    let a = rig.create("A", &borrowed(&twos)).await;
    let b = rig.create("B", &borrowed(&threes)).await;
    let name = vec![AudienceName::parse("Union").unwrap()];
    let union = rig.derive(&[a, b], (Recipe::Union, name)).await;
    let parts = rig.derive(&[a], split(&["P1", "P2", "P3"])).await;
    // Every other step ends its worker after it has stored contacts and before it has said so.
    let steps = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&steps);
    crash::install(Box::new(move |point| {
        let ends = matches!(point, "derive.batch_stored" | "derive.before_flip");
        assert!(
            !(ends && counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)),
            "cut off"
        );
    }));
    let mut workers = 0;
    for operation in [union.operation, parts.operation] {
        loop {
            let app = rig.elsewhere();
            let worked = tokio::spawn(async move { app.operations.work_once(Pool::Intake).await });
            workers += u32::from(worked.await.is_err());
            if rig.operation(operation).await.state.is_terminal() {
                break;
            }
            assert!(rig.named("Union").await.is_none() || operation == parts.operation);
            assert_eq!(
                rig.named("P1").await,
                None,
                "nothing shows before everything does"
            );
            let mut uow = rig.ports.store.begin(Durability::Full).await.unwrap();
            uow.operations().release_leases().await.unwrap();
            uow.commit().await.unwrap();
            assert!(workers < 100);
        }
        let ended = rig.operation(operation).await;
        assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    }
    assert!(workers > 10, "{workers}");
    let mut both = [twos.clone(), threes].concat();
    both.sort();
    both.dedup();
    assert_eq!(rig.members(union.audience).await, both);
    let mut all = Vec::new();
    for name in ["P1", "P2", "P3"] {
        let id = rig.named(name).await.unwrap();
        all.extend(rig.members(id).await);
    }
    let recipe = split(&["P1", "P2", "P3"]).0;
    let drawn = twos
        .iter()
        .filter(|key| recipe.part_of(key, &[true], None).is_some());
    let drawn: Vec<String> = drawn.cloned().collect();
    all.sort();
    assert_eq!(all, drawn);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_split_gives_its_names_free_and_takes_them_again() {
    let rig = small_steps().await;
    let base = rig.create("Base", &borrowed(&numbered(1))).await;
    let parts = rig.derive(&[base], split(&["P1", "P2"])).await;
    let taken = rig.try_create("p2", &[]).await.unwrap_err();
    assert!(matches!(
        taken,
        AppError::Conflict {
            code: "name_taken",
            ..
        }
    ));
    let (actor, operations) = (rig.actor(), &rig.app.operations);
    let cancel = operations.cancel(&actor, rig.request_id(), parts.operation);
    assert_eq!(cancel.await.unwrap().state, OperationState::Cancelled);
    let free = rig.create("P2", &[]).await;
    let retry = operations
        .retry(&actor, rig.request_id(), parts.operation)
        .await;
    let refused = retry.unwrap_err();
    assert!(matches!(
        refused,
        AppError::Conflict {
            code: "name_taken",
            ..
        }
    ));
    rig.app.change.drop(&actor, free, None, None).await.unwrap();
    let retry = operations.retry(&actor, rig.request_id(), parts.operation);
    retry.await.unwrap();
    rig.work().await;
    let ended = rig.operation(parts.operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{:?}", ended.error);
    assert!(rig.named("P1").await.is_some() && rig.named("P2").await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_read_as_they_were_when_it_began() {
    let rig = small_steps().await;
    let base = rig.create("Base", &["a", "b", "c", "d", "e"]).await;
    let name = vec![AudienceName::parse("Copy").unwrap()];
    let copy = rig.derive(&[base], (Recipe::Union, name)).await;
    let done = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&done);
    crash::install(Box::new(move |point| {
        let first = point == "derive.batch_stored" && counted.fetch_add(1, Ordering::SeqCst) == 0;
        assert!(!first, "cut off");
    }));
    let app = rig.elsewhere();
    let worked = tokio::spawn(async move { app.operations.work_once(Pool::Intake).await });
    worked.await.unwrap_err();
    let mut uow = rig.ports.store.begin(Durability::Full).await.unwrap();
    uow.operations().release_leases().await.unwrap();
    uow.commit().await.unwrap();
    let actor = rig.actor();
    let clear = rig.app.clear.execute(&actor, rig.request_id(), base, None);
    clear.await.unwrap();
    rig.work().await;
    assert_eq!(rig.members(base).await, Vec::<String>::new());
    assert_eq!(rig.members(copy.audience).await, ["A", "B", "C", "D", "E"]);
}
