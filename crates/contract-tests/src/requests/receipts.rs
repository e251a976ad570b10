//! Cases of receipts.

use ports::{
    constraint,
    store::{Durability, UnitOfWork},
};
use serde_json::json;

use super::RequestsHarness;

async fn begin(h: &dyn RequestsHarness) -> Box<dyn UnitOfWork> {
    h.store().begin(Durability::Full).await.unwrap()
}

pub async fn a_receipt_is_found_by_its_write(h: &dyn RequestsHarness) {
    let result = json!({ "created": 2, "text": "é" });
    let mut uow = begin(h).await;
    uow.receipts().put(i64::MAX, result.clone()).await.unwrap();
    assert_eq!(
        uow.receipts().get(i64::MAX).await.unwrap(),
        Some(result.clone())
    );
    uow.commit().await.unwrap();
    let mut uow = begin(h).await;
    assert_eq!(uow.receipts().get(i64::MAX).await.unwrap(), Some(result));
    assert_eq!(uow.receipts().get(1).await.unwrap(), None);
}

pub async fn a_second_receipt_is_a_conflict(h: &dyn RequestsHarness) {
    let mut uow = begin(h).await;
    uow.receipts().put(1, json!(1)).await.unwrap();
    uow.commit().await.unwrap();
    let mut uow = begin(h).await;
    let refused = uow.receipts().put(1, json!(2)).await.unwrap_err();
    assert!(refused.is_conflict_on(constraint::WRITE_ID), "{refused:?}");
}

pub async fn a_rolled_back_receipt_was_never_there(h: &dyn RequestsHarness) {
    let mut uow = begin(h).await;
    uow.receipts().put(1, json!(1)).await.unwrap();
    drop(uow);
    assert_eq!(begin(h).await.receipts().get(1).await.unwrap(), None);
}
