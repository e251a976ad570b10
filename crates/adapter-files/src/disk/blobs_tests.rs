use std::io::{Read, Seek, SeekFrom};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use ports::files::{BlobStore, FileError};

use super::DiskBlobs;

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
async fn a_file_appears_whole_and_only_when_it_is_finished() {
    let (_folder, blobs) = store();
    let mut writer = blobs.create("uploads/a").await.unwrap();
    writer.write(b"abc").await.unwrap();
    assert!(!blobs.exists("uploads/a").await.unwrap());
    assert!(blobs.list("").await.unwrap().is_empty());
    let info = writer.finish().await.unwrap();
    assert_eq!(info.bytes, 3);
    assert_eq!(
        info.sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert!(blobs.exists("uploads/a").await.unwrap());
    assert_eq!(blobs.list("uploads").await.unwrap(), ["uploads/a"]);
    assert_eq!(
        blobs.list("nothing/here").await.unwrap(),
        Vec::<String>::new()
    );
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
async fn content_is_read_from_any_offset() {
    let (_folder, blobs) = store();
    let content: Vec<u8> = (0..2_500_000_u32).map(|n| (n % 251) as u8).collect();
    put(&blobs, "big", &content).await;
    for offset in [0, 1, 1_048_576, 2_499_999, 2_500_000, 9_000_000] {
        let stream = blobs.stream("big", offset).await.unwrap();
        let read = stream.try_concat().await.unwrap();
        assert_eq!(read, content.get(offset as usize..).unwrap_or_default());
    }
    let mut reader = blobs.open("big").await.unwrap();
    reader.seek(SeekFrom::End(-3)).unwrap();
    let mut end = Vec::new();
    reader.read_to_end(&mut end).unwrap();
    assert_eq!(end, content[content.len() - 3..]);
    assert_eq!(blobs.size("big").await.unwrap(), 2_500_000);
}

#[tokio::test]
async fn finishing_replaces_and_removing_twice_succeeds() {
    let (_folder, blobs) = store();
    put(&blobs, "x", b"first").await;
    put(&blobs, "x", b"second").await;
    assert_eq!(blobs.size("x").await.unwrap(), 6);
    blobs.remove("x").await.unwrap();
    blobs.remove("x").await.unwrap();
    assert!(matches!(blobs.open("x").await, Err(FileError::NotFound)));
    assert!(matches!(blobs.size("x").await, Err(FileError::NotFound)));
}

#[tokio::test]
async fn names_do_not_leave_the_folder() {
    let (_folder, blobs) = store();
    for name in ["../x", "/etc/passwd", "a/../../x", "x~1"] {
        assert!(matches!(
            blobs.create(name).await,
            Err(FileError::InvalidName)
        ));
        assert!(matches!(
            blobs.open(name).await,
            Err(FileError::InvalidName)
        ));
        assert!(matches!(
            blobs.remove(name).await,
            Err(FileError::InvalidName)
        ));
    }
    put(&blobs, "folder/file", b"x").await;
    assert!(matches!(
        blobs.open("folder").await,
        Err(FileError::NotFound)
    ));
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
    assert_eq!(blobs.list("").await.unwrap(), ["kept"]);
}

#[tokio::test]
async fn free_space_is_known() {
    let (_folder, blobs) = store();
    assert!(blobs.free_bytes().await.unwrap() > 0);
}
