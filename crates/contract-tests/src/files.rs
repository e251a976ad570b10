//! What a store of whole files owes.
//!
//! An adapter expands [`blobs_contract!`](crate::blobs_contract) over its own.

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

use std::io::{Read, Seek, SeekFrom};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use ports::files::{BlobInfo, BlobStore, FileError};

/// Expands to one test per case; `$store` is an expression that awaits to a pair of what keeps the store and
/// the [`BlobStore`].
#[macro_export]
macro_rules! blobs_contract {
    ($store:expr) => {
        $crate::blobs_contract!(@ $store;
            a_file_appears_whole_and_only_when_it_is_finished,
            content_is_read_from_any_offset,
            finishing_replaces_and_removing_twice_succeeds,
            names_do_not_leave_the_folder,
            files_are_listed_by_folder_and_age,
            free_space_is_known
        );
    };
    (@ $store:expr; $($case:ident),+) => {
        mod blobs {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (_kept, blobs) = $store.await;
                $crate::files::$case(&blobs).await;
            })+
        }
    };
}

async fn put(blobs: &dyn BlobStore, name: &str, content: &[u8]) -> BlobInfo {
    let mut writer = blobs.create(name).await.unwrap();
    for piece in content.chunks(100_000) {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap()
}

pub async fn a_file_appears_whole_and_only_when_it_is_finished(blobs: &dyn BlobStore) {
    let mut writer = blobs.create("uploads/a").await.unwrap();
    writer.write(b"abc").await.unwrap();
    assert!(!blobs.exists("uploads/a").await.unwrap());
    assert!(blobs.list("", None).await.unwrap().is_empty());
    let info = writer.finish().await.unwrap();
    assert_eq!(info.bytes, 3);
    assert_eq!(
        info.sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert!(blobs.exists("uploads/a").await.unwrap());
    assert_eq!(blobs.list("uploads", None).await.unwrap(), ["uploads/a"]);
    assert_eq!(
        blobs.list("nothing/here", None).await.unwrap(),
        Vec::<String>::new()
    );
}

pub async fn content_is_read_from_any_offset(blobs: &dyn BlobStore) {
    let content: Vec<u8> = (0..9_500_000_u32).map(|n| (n % 251) as u8).collect();
    put(blobs, "big", &content).await;
    for offset in [0, 1, 4_194_304, 9_499_999, 9_500_000, 12_000_000] {
        let stream = blobs.stream("big", offset).await.unwrap();
        let read = stream.try_concat().await.unwrap();
        assert_eq!(read, content.get(offset as usize..).unwrap_or_default());
    }
    assert_eq!(blobs.size("big").await.unwrap(), 9_500_000);
    let mut reader = blobs.open("big").await.unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let (mut whole, mut end) = (Vec::new(), Vec::new());
        reader.read_to_end(&mut whole).unwrap();
        reader.seek(SeekFrom::End(-3)).unwrap();
        reader.read_to_end(&mut end).unwrap();
        (whole, end)
    });
    let (whole, end) = read.await.unwrap();
    assert!(whole == content, "read as it was written");
    assert_eq!(
        Some(end.as_slice()),
        content.last_chunk::<3>().map(|end| &end[..])
    );
}

pub async fn finishing_replaces_and_removing_twice_succeeds(blobs: &dyn BlobStore) {
    put(blobs, "x", b"first").await;
    put(blobs, "x", b"second").await;
    assert_eq!(blobs.size("x").await.unwrap(), 6);
    blobs.remove("x").await.unwrap();
    blobs.remove("x").await.unwrap();
    assert!(matches!(blobs.open("x").await, Err(FileError::NotFound)));
    assert!(matches!(blobs.size("x").await, Err(FileError::NotFound)));
}

pub async fn names_do_not_leave_the_folder(blobs: &dyn BlobStore) {
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
    put(blobs, "folder/file", b"x").await;
    assert!(matches!(
        blobs.open("folder").await,
        Err(FileError::NotFound)
    ));
}

pub async fn free_space_is_known(blobs: &dyn BlobStore) {
    assert!(blobs.free_bytes().await.unwrap() > 0);
}

pub async fn files_are_listed_by_folder_and_age(blobs: &dyn BlobStore) {
    for name in ["a/1", "a/b/2", "ab/3"] {
        put(blobs, name, b"x").await;
    }
    assert_eq!(blobs.list("", None).await.unwrap().len(), 3);
    assert_eq!(blobs.list("a", None).await.unwrap(), ["a/1", "a/b/2"]);
    let at = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0);
    assert!(blobs.list("a", at(1_000_000_000)).await.unwrap().is_empty());
    assert_eq!(blobs.list("a", at(9_000_000_000)).await.unwrap().len(), 2);
}
