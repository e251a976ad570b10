//! Cases of uploads.

use domain::shared::{UploadId, WorkspaceId};
use ports::store::Upload;
use serde_json::json;

use crate::store::{StoreHarness, at, begin, number, workspace};

fn upload(workspace: &WorkspaceId, seconds: i64) -> Upload {
    Upload {
        id: UploadId::from_raw(number()),
        workspace: workspace.clone(),
        blob: "uploads/1".into(),
        file_name: None,
        bytes: 1 << 40,
        sha256: "0".repeat(64),
        detected: json!({ "columns": ["Nome", "é"] }),
        created_at: at(seconds),
    }
}

async fn add(h: &dyn StoreHarness, uploads: &[&Upload]) {
    let mut uow = begin(h).await;
    for upload in uploads {
        uow.uploads().add(upload).await.unwrap();
    }
    uow.commit().await.unwrap();
}

pub async fn an_upload_comes_back_as_it_was(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let plain = upload(&ws, 1);
    let named = Upload {
        file_name: Some("julho é.csv".into()),
        ..upload(&ws, 1)
    };
    add(h, &[&plain, &named]).await;
    for expected in [plain, named] {
        let found = h.queries().upload(&ws, expected.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&expected));
        let found = begin(h)
            .await
            .uploads()
            .get(&ws, expected.id)
            .await
            .unwrap();
        assert_eq!(found, Some(expected));
    }
}

pub async fn an_upload_belongs_to_its_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let upload = upload(&ws, 1);
    add(h, &[&upload]).await;
    assert_eq!(h.queries().upload(&other, upload.id).await.unwrap(), None);
    assert_eq!(
        begin(h)
            .await
            .uploads()
            .get(&other, upload.id)
            .await
            .unwrap(),
        None
    );
}

pub async fn the_oldest_are_collected_first(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let [first, second, third, young] = [1, 2, 3, 4].map(|seconds| upload(&ws, seconds));
    add(h, &[&young, &third, &first, &second]).await;
    let mut uow = begin(h).await;
    assert_eq!(
        uow.uploads().older_than(at(4), 2).await.unwrap(),
        [first.clone(), second.clone()]
    );
    assert_eq!(
        uow.uploads().older_than(at(4), 9).await.unwrap(),
        [first, second, third]
    );
}

pub async fn a_forgotten_upload_is_gone(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let (gone, kept) = (upload(&ws, 1), upload(&ws, 1));
    add(h, &[&gone, &kept]).await;
    let mut uow = begin(h).await;
    uow.uploads().forget(gone.id).await.unwrap();
    uow.uploads().forget(gone.id).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(h.queries().upload(&ws, gone.id).await.unwrap(), None);
    assert_eq!(h.queries().upload(&ws, kept.id).await.unwrap(), Some(kept));
}
