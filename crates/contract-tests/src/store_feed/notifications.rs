//! Cases of notifications.

use domain::shared::{NotificationId, UserId, WorkspaceId};
use ports::store::{NewNotification, Notification, NotificationFilter};

use super::{list, notification, tell, user};
use crate::store::{StoreHarness, at, begin, number, workspace};

async fn mark(
    h: &dyn StoreHarness,
    (workspace, user): (&WorkspaceId, &UserId),
    id: NotificationId,
    seconds: i64,
) -> bool {
    let mut uow = begin(h).await;
    let known = uow
        .notifications()
        .mark_read(workspace, user, id, at(seconds))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    known
}

async fn mark_all(h: &dyn StoreHarness, (workspace, user): (&WorkspaceId, &UserId)) -> i64 {
    let mut uow = begin(h).await;
    let unread = uow
        .notifications()
        .mark_all_read(workspace, user, at(9))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    unread
}

pub async fn a_notification_comes_back_as_it_was(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let told = notification(&ws, &ana);
    assert!(tell(h, &told).await);
    let expected = Notification {
        id: told.id,
        subject: told.subject,
        data: told.data,
        created_at: told.created_at,
        read_at: None,
    };
    assert_eq!(list(h, &ws, &ana).await, [expected]);
}

pub async fn a_user_is_told_once_of_each_subject(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let first = notification(&ws, &ana);
    assert!(tell(h, &first).await);
    let again = NewNotification {
        id: NotificationId::from_raw(number()),
        ..first.clone()
    };
    assert!(!tell(h, &again).await);
    let mut retried = again;
    retried.subject.occasion = 2;
    assert!(tell(h, &retried).await);
    let ids: Vec<_> = list(h, &ws, &ana).await.iter().map(|n| n.id).collect();
    assert_eq!(ids, [retried.id, first.id]);
    for (workspace, user) in [(&ws, &user("bea")), (&workspace("other"), &ana)] {
        let elsewhere = NewNotification {
            subject: first.subject.clone(),
            ..notification(workspace, user)
        };
        assert!(tell(h, &elsewhere).await);
    }
}

pub async fn a_rolled_back_notification_was_never_there(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let told = notification(&ws, &ana);
    let mut uow = begin(h).await;
    assert!(uow.notifications().add(&told).await.unwrap());
    drop(uow);
    assert_eq!(list(h, &ws, &ana).await, []);
    assert!(tell(h, &told).await);
}

pub async fn reading_twice_keeps_the_first_time(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let told = notification(&ws, &ana);
    tell(h, &told).await;
    assert!(mark(h, (&ws, &ana), told.id, 5).await);
    assert!(mark(h, (&ws, &ana), told.id, 6).await, "again is no error");
    let read: Vec<_> = list(h, &ws, &ana).await.iter().map(|n| n.read_at).collect();
    assert_eq!(read, [Some(at(5))]);
    assert!(!mark(h, (&ws, &ana), NotificationId::from_raw(number()), 5).await);
}

pub async fn reading_all_counts_what_was_unread(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let first = notification(&ws, &ana);
    tell(h, &first).await;
    for _ in 0..2 {
        tell(h, &notification(&ws, &ana)).await;
    }
    mark(h, (&ws, &ana), first.id, 5).await;
    assert_eq!(h.queries().unread_count(&ws, &ana).await.unwrap(), 2);
    assert_eq!(mark_all(h, (&ws, &ana)).await, 2);
    assert_eq!(mark_all(h, (&ws, &ana)).await, 0);
    assert_eq!(h.queries().unread_count(&ws, &ana).await.unwrap(), 0);
    let read: Vec<_> = list(h, &ws, &ana).await.iter().map(|n| n.read_at).collect();
    assert_eq!(read, [Some(at(9)), Some(at(9)), Some(at(5))]);
}

pub async fn the_list_is_paged_and_filtered(h: &dyn StoreHarness) {
    let (ws, ana) = (workspace("ws"), user("ana"));
    let mut ids = Vec::new();
    for _ in 0..5 {
        let told = notification(&ws, &ana);
        tell(h, &told).await;
        ids.insert(0, told.id);
    }
    let mut filter = NotificationFilter {
        limit: 2,
        ..NotificationFilter::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = h.queries().notifications(&ws, &ana, &filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        seen.extend(page.iter().map(|n| n.id));
    }
    assert_eq!(seen, ids);
    let (read, unread) = ids.split_last().unwrap();
    mark(h, (&ws, &ana), *read, 5).await;
    let filter = NotificationFilter {
        unread: true,
        before: None,
        limit: 10,
    };
    let page = h.queries().notifications(&ws, &ana, &filter).await.unwrap();
    assert_eq!(page.iter().map(|n| n.id).collect::<Vec<_>>(), unread);
}

pub async fn everybody_sees_their_own(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let (ana, bea) = (user("ana"), user("bea"));
    let told = notification(&ws, &ana);
    tell(h, &told).await;
    for stranger in [(&other, &ana), (&ws, &bea)] {
        assert_eq!(list(h, stranger.0, stranger.1).await, []);
        assert_eq!(
            h.queries()
                .unread_count(stranger.0, stranger.1)
                .await
                .unwrap(),
            0
        );
        assert!(!mark(h, stranger, told.id, 5).await);
        assert_eq!(mark_all(h, stranger).await, 0);
    }
    assert_eq!(h.queries().unread_count(&ws, &ana).await.unwrap(), 1);
}
