use chrono::{DateTime, Utc};
use contract_tests::blobs_contract;
use ports::files::BlobStore;

use super::DiskBlobs;

blobs_contract!(async { store() });

fn store() -> (tempfile::TempDir, DiskBlobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = DiskBlobs::new(folder.path().join("blobs")).unwrap();
    (folder, blobs)
}

async fn put(blobs: &DiskBlobs, name: &str, content: &[u8]) -> ports::files::BlobInfo {
    let mut writer = blobs.create(name).await.unwrap();
    for piece in content.chunks(100_000) {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap()
}

#[tokio::test]
async fn a_dropped_writer_leaves_nothing() {
    let (folder, blobs) = store();
    let mut writer = blobs.create("a/b").await.unwrap();
    writer.write(&vec![7; 3_000_000]).await.unwrap();
    drop(writer);
    assert_eq!(folder.path().join("blobs/a").read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn only_old_leftovers_are_swept() {
    let (folder, blobs) = store();
    put(&blobs, "kept", b"x").await;
    std::fs::write(folder.path().join("blobs/lost~1-1"), b"partial").unwrap();
    let long_ago = DateTime::<Utc>::from_timestamp(1_000_000_000, 0).unwrap();
    let far_ahead = DateTime::<Utc>::from_timestamp(9_000_000_000, 0).unwrap();
    assert_eq!(blobs.remove_unfinished(long_ago).await.unwrap(), 0);
    assert_eq!(blobs.remove_unfinished(far_ahead).await.unwrap(), 1);
    assert_eq!(blobs.list("", None).await.unwrap(), ["kept"]);
}
