//! Files that list documents, and files there is no room for.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix_web::http::StatusCode;
use async_trait::async_trait;
use audience_service::{
    recycle::{RecycleRequest, SetSource},
    upload::Received,
};
use chrono::{DateTime, Utc};
use domain::shared::UploadId;
use futures::stream::{Iter, iter};
use http_kit::Problem;
use ports::files::{BlobStore, BlobStream, BlobWriter, FileError, ReadSeek};

use crate::rig::Rig;

type Chunks = Iter<std::array::IntoIter<Result<Vec<u8>, std::io::Error>, 1>>;

fn received(text: &str) -> Received<Chunks> {
    Received {
        chunks: iter([Ok(text.as_bytes().to_vec())]),
        file_name: Some("list.csv".into()),
        content_type: Some("text/csv".into()),
        length: Some(text.len() as u64),
        options: Default::default(),
    }
}

async fn upload(rig: &Rig, text: &str) -> UploadId {
    let (actor, request_id) = (rig.actor(), rig.request_id());
    let stored = rig
        .app
        .uploads
        .receive
        .execute(&actor, request_id, received(text));
    stored.await.unwrap().upload.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_codes_without_a_header_loses_none() {
    let rig = Rig::new().await;
    for (number, file) in ["AB-1\nAB-2\n", "Código\nAB-1\nAB-2\n", "cpf\nAB-1\nAB-2\n"]
        .into_iter()
        .enumerate()
    {
        let name = format!("Base {number}");
        let id = rig.create(&name, &["AB-1", "AB-2", "AB-3", "CPF"]).await;
        let upload = upload(&rig, file).await;
        let request = RecycleRequest {
            documents: SetSource {
                documents: Vec::new(),
                upload: Some(upload),
            },
            ..Rig::recycling(&[], false)
        };
        let (actor, request_id) = (rig.actor(), rig.request_id());
        rig.app
            .recycle
            .execute(&actor, request_id, id, request)
            .await
            .unwrap();
        rig.work().await;
        assert_eq!(rig.members(id).await, ["AB-3", "CPF"], "{file}");
    }
}

/// A disk with as much room as it is told.
#[derive(Debug)]
struct Disk {
    files: Arc<dyn BlobStore>,
    free: Arc<AtomicU64>,
}

#[async_trait]
impl BlobStore for Disk {
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, FileError> {
        self.files.create(name).await
    }

    async fn open(&self, name: &str) -> Result<Box<dyn ReadSeek>, FileError> {
        self.files.open(name).await
    }

    async fn stream(&self, name: &str, offset: u64) -> Result<BlobStream, FileError> {
        self.files.stream(name, offset).await
    }

    async fn size(&self, name: &str) -> Result<u64, FileError> {
        self.files.size(name).await
    }

    async fn remove(&self, name: &str) -> Result<(), FileError> {
        self.files.remove(name).await
    }

    async fn list(
        &self,
        folder: &str,
        untouched_since: Option<DateTime<Utc>>,
    ) -> Result<Vec<String>, FileError> {
        self.files.list(folder, untouched_since).await
    }

    async fn free_bytes(&self) -> Result<u64, FileError> {
        Ok(self.free.load(Ordering::Relaxed))
    }

    async fn remove_unfinished(&self, untouched_since: DateTime<Utc>) -> Result<u64, FileError> {
        self.files.remove_unfinished(untouched_since).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_a_file_is_refused_before_it_is_read() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let disk = Arc::clone(&free);
    let rig = Rig::with(move |deps| {
        let files = Arc::clone(&deps.blobs);
        deps.blobs = Arc::new(Disk { files, free: disk });
    })
    .await;
    let (app, actor) = (&rig.app, rig.actor());
    let gib = 1 << 30;
    for (room, announced, fits) in [
        (gib, Some(8), true),
        (gib, Some(gib), false),
        (0, Some(8), false),
        (0, None, false),
    ] {
        free.store(room, Ordering::Relaxed);
        let before = rig.ports.blobs.list("", None).await.unwrap();
        let file = Received {
            length: announced,
            ..received("cpf\nAB-1\n")
        };
        let stored = app
            .uploads
            .receive
            .execute(&actor, rig.request_id(), file)
            .await;
        let status = stored.map_err(|e| Problem::from(e).status());
        match fits {
            true => assert!(status.is_ok(), "{announced:?} into {room}"),
            false => {
                let expected = StatusCode::INSUFFICIENT_STORAGE;
                assert_eq!(status.unwrap_err(), expected, "{announced:?} into {room}");
                assert_eq!(rig.ports.blobs.list("", None).await.unwrap(), before);
            }
        }
    }
}
