//! Cases of reads outside a unit of work.

use domain::{
    audience::{AudienceKind, AudienceStatus, Tags, Visibility},
    operation::{OperationKind, OperationState},
    shared::{AudienceId, WorkspaceId},
};
use ports::store::{AudienceFilter, AudiencePage, AudiencePosition, AudienceSort, OperationFilter};

use super::{StoreHarness, add, added, at, audience, begin, enqueue, operation, with, workspace};

/// The names that a filter selects, by name.
async fn names(h: &dyn StoreHarness, ws: &WorkspaceId, filter: &AudienceFilter) -> Vec<String> {
    let page = AudiencePage {
        sort: AudienceSort::NameAsc,
        after: None,
        limit: 100,
    };
    let found = h.queries().audiences(ws, filter, &page).await.unwrap();
    found
        .into_iter()
        .map(|audience| audience.name.as_str().to_owned())
        .collect()
}

pub async fn pages_have_no_gaps_and_no_repeats(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut uow = begin(h).await;
    // Names in another order than ids; dropped ones repeat a name, so that ids decide.
    let made = (0..23).map(|n| (n, audience(&ws, &format!("n{}", (n * 7) % 10))));
    let made: Vec<_> = made.collect();
    // Numbers in the opposite order.
    for (n, mut audience) in made.into_iter().rev() {
        audience.drop_at(at(n));
        uow.audiences().add(&mut audience).await.unwrap();
    }
    uow.commit().await.unwrap();
    let filter = AudienceFilter::default();
    for sort in [
        AudienceSort::CreatedAsc,
        AudienceSort::CreatedDesc,
        AudienceSort::NameAsc,
        AudienceSort::NameDesc,
        AudienceSort::NumberAsc,
    ] {
        let mut seen: Vec<AudiencePosition> = Vec::new();
        loop {
            let page = AudiencePage {
                sort,
                after: seen.last().cloned(),
                limit: 4,
            };
            let found = h.queries().audiences(&ws, &filter, &page).await.unwrap();
            assert!(found.len() <= 4);
            if found.is_empty() {
                break;
            }
            seen.extend(found.iter().map(AudiencePosition::from));
        }
        let mut sorted = seen.clone();
        match sort {
            AudienceSort::CreatedAsc => sorted.sort_by_key(|p| p.id),
            AudienceSort::CreatedDesc => sorted.sort_by_key(|p| std::cmp::Reverse(p.id)),
            AudienceSort::NameAsc => sorted.sort_by_key(|p| (p.name_key.clone(), p.id)),
            AudienceSort::NameDesc => {
                sorted.sort_by_key(|p| std::cmp::Reverse((p.name_key.clone(), p.id)));
            }
            AudienceSort::NumberAsc => sorted.sort_by_key(|p| p.number),
        }
        sorted.dedup();
        assert_eq!((seen.len(), &seen), (23, &sorted), "{sort:?}");
    }
}

pub async fn what_is_not_ready_never_shows(h: &dyn StoreHarness) {
    let ws = workspace("w");
    for visibility in [Visibility::Creating, Visibility::Abandoned] {
        let mut hidden = with(&audience(&ws, visibility.as_str()), |a| {
            a.visibility = visibility
        });
        add(h, &mut hidden).await;
        let one = h.queries().audience(&ws, hidden.id).await.unwrap();
        assert_eq!(one, Some(hidden), "it is found by its id");
    }
    added(h, &ws, "ready").await;
    assert_eq!(names(h, &ws, &AudienceFilter::default()).await, ["ready"]);
}

pub async fn search_finds_names_and_tags_literally(h: &dyn StoreHarness) {
    let ws = workspace("w");
    for (name, tags) in [
        ("100% real", &["Ação", "vip"][..]),
        ("1000 real", &["ação-2"]),
        ("under_score", &[]),
        ("underXscore", &["a\\b"]),
    ] {
        let tags = Tags::parse(tags).unwrap();
        let mut audience = audience(&ws, name).labelled(tags, AudienceStatus::Active);
        add(h, &mut audience).await;
    }
    for (search, expected) in [
        ("REAL", &["100% real", "1000 real"][..]),
        ("0%", &["100% real"]),
        ("R_S", &["under_score"]),
        ("\\", &["underXscore"]),
        ("AÇÃO", &["100% real", "1000 real"]),
        ("çãovip", &[]),
        (
            "",
            &["100% real", "1000 real", "underXscore", "under_score"],
        ),
    ] {
        let filter = AudienceFilter {
            search: Some(search.to_owned()),
            ..AudienceFilter::default()
        };
        let mut found = names(h, &ws, &filter).await;
        found.sort();
        assert_eq!(found, expected, "{search:?}");
    }
    for (tag, expected) in [("AÇÃO", &["100% real"][..]), ("aç", &[]), ("%", &[])] {
        let filter = AudienceFilter {
            tag: Some(tag.to_owned()),
            ..AudienceFilter::default()
        };
        assert_eq!(names(h, &ws, &filter).await, expected, "{tag:?}");
    }
}

pub async fn filters_select(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut draft = audience(&ws, "draft").labelled(Tags::default(), AudienceStatus::Draft);
    let mut dynamic = with(&audience(&ws, "dynamic"), |a| {
        a.kind = AudienceKind::Dynamic
    });
    let mut dropped = audience(&ws, "dropped");
    dropped.drop_at(at(1));
    for audience in [&mut draft, &mut dynamic, &mut dropped] {
        add(h, audience).await;
    }
    let all = AudienceFilter::default();
    for (filter, expected) in [
        (
            AudienceFilter {
                status: Some(AudienceStatus::Draft),
                ..all.clone()
            },
            &["draft"][..],
        ),
        (
            AudienceFilter {
                kind: Some(AudienceKind::Dynamic),
                ..all.clone()
            },
            &["dynamic"],
        ),
        (
            AudienceFilter {
                deleted: Some(true),
                ..all.clone()
            },
            &["dropped"],
        ),
        (
            AudienceFilter {
                deleted: Some(false),
                ..all.clone()
            },
            &["draft", "dynamic"],
        ),
        (all, &["draft", "dropped", "dynamic"]),
    ] {
        assert_eq!(names(h, &ws, &filter).await, expected, "{filter:?}");
    }
}

pub async fn every_read_stays_in_its_workspace(h: &dyn StoreHarness) {
    let (own, foreign) = (workspace("own"), workspace("foreign"));
    let audience = added(h, &own, "a").await;
    let operation = operation(&own, Some(audience.id), OperationKind::Recycle);
    enqueue(h, &[&operation]).await;
    let queries = h.queries();
    assert_eq!(queries.audience(&foreign, audience.id).await.unwrap(), None);
    assert_eq!(
        queries.operation(&foreign, operation.id).await.unwrap(),
        None
    );
    assert_eq!(
        names(h, &foreign, &AudienceFilter::default()).await,
        [""; 0]
    );
    let filter = OperationFilter {
        limit: 10,
        ..OperationFilter::default()
    };
    assert_eq!(queries.operations(&foreign, &filter).await.unwrap(), []);
    let mut uow = begin(h).await;
    assert_eq!(
        uow.audiences().get(&foreign, audience.id).await.unwrap(),
        None
    );
    assert_eq!(
        uow.operations().get(&foreign, operation.id).await.unwrap(),
        None
    );
}

pub async fn operations_are_listed_newest_first(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = AudienceId::from_raw(super::number());
    let recycle = operation(&ws, Some(audience), OperationKind::Recycle);
    let purge = operation(&ws, Some(audience), OperationKind::Purge);
    let mut clear = operation(&ws, None, OperationKind::Clear);
    clear.state = OperationState::Succeeded;
    enqueue(h, &[&recycle, &purge, &clear]).await;
    let all = OperationFilter {
        limit: 10,
        ..OperationFilter::default()
    };
    for (filter, expected) in [
        // Housekeeping shows only to who asks for it.
        (all.clone(), &[clear.id, recycle.id][..]),
        (
            OperationFilter {
                limit: 1,
                ..all.clone()
            },
            &[clear.id],
        ),
        (
            OperationFilter {
                before: Some(clear.id),
                ..all.clone()
            },
            &[recycle.id],
        ),
        (
            OperationFilter {
                kind: Some(OperationKind::Purge),
                ..all.clone()
            },
            &[purge.id],
        ),
        (
            OperationFilter {
                state: Some(OperationState::Succeeded),
                ..all.clone()
            },
            &[clear.id],
        ),
        (
            OperationFilter {
                audience: Some(audience),
                ..all
            },
            &[recycle.id],
        ),
    ] {
        let found = h.queries().operations(&ws, &filter).await.unwrap();
        let found: Vec<_> = found.iter().map(|operation| operation.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}
