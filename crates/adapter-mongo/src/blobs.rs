//! Whole files in GridFS, so that every replica finds what one of them received.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::{AsyncWriteExt, StreamExt, TryStreamExt, stream};
use mongodb::{
    Collection, Database,
    bson::{Bson, DateTime as BsonTime, Document as Doc, RawDocumentBuf, doc, oid::ObjectId},
    gridfs::{FilesCollectionDocument, GridFsBucket, GridFsUploadStream},
    options::GridFsBucketOptions,
};
use ports::{
    StoreError,
    files::{BlobInfo, BlobStore, BlobStream, BlobWriter, FileError, ReadSeek, check_name},
};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::{MongoContacts, error};

/// Names the two collections.
const BUCKET: &str = "files";
/// Bytes of a chunk: what is written, and read, at a time.
const CHUNK: u32 = 4 << 20;
/// Leftovers removed in one step.
const LEFTOVERS: i64 = 1_000;

/// Files in the database of the contacts.
#[derive(Clone)]
pub struct MongoBlobs {
    database: Database,
    bucket: GridFsBucket,
}

impl fmt::Debug for MongoBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoBlobs")
            .field("database", &self.database.name())
            .finish()
    }
}

impl MongoBlobs {
    /// On the connection of the contacts.
    pub fn beside(contacts: &MongoContacts) -> Self {
        let database = contacts.database.clone();
        let options = GridFsBucketOptions::builder()
            .bucket_name(BUCKET.to_owned())
            .chunk_size_bytes(CHUNK)
            .build();
        Self {
            bucket: database.gridfs_bucket(options),
            database,
        }
    }

    fn files(&self) -> Collection<FilesCollectionDocument> {
        self.database.collection(&format!("{BUCKET}.files"))
    }

    fn chunks(&self) -> Chunks {
        Chunks(self.database.collection(&format!("{BUCKET}.chunks")))
    }

    /// The finished file of this name: the latest, where one is being replaced.
    async fn find(&self, name: &str) -> Result<FilesCollectionDocument, FileError> {
        check_name(name)?;
        let files = self.files();
        let latest = files
            .find_one(doc! { "filename": name })
            .sort(doc! { "uploadDate": -1, "_id": -1 });
        latest.await.map_err(failed)?.ok_or(FileError::NotFound)
    }

    /// Deletes the files of this name, but for one.
    async fn remove_others(&self, name: &str, kept: Option<&Bson>) -> Result<(), FileError> {
        let mut filter = doc! { "filename": name };
        if let Some(kept) = kept {
            filter.insert("_id", doc! { "$lt": kept });
        }
        let found = self.files().find(filter).await.map_err(failed)?;
        let found: Vec<FilesCollectionDocument> = found.try_collect().await.map_err(failed)?;
        for file in found {
            self.bucket.delete(file.id).await.map_err(failed)?;
        }
        Ok(())
    }
}

#[async_trait]
impl BlobStore for MongoBlobs {
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, FileError> {
        check_name(name)?;
        let id = Bson::ObjectId(ObjectId::new());
        let upload = self.bucket.open_upload_stream(name).id(id.clone());
        Ok(Box::new(Writer {
            blobs: self.clone(),
            name: name.to_owned(),
            id,
            upload: upload.await.map_err(failed)?,
            hash: Sha256::new(),
            bytes: 0,
        }))
    }

    async fn open(&self, name: &str) -> Result<Box<dyn ReadSeek>, FileError> {
        let file = self.find(name).await?;
        Ok(Box::new(Reader {
            chunks: self.chunks(),
            file: Stored::of(file),
            runtime: Handle::current(),
            position: 0,
            held: None,
        }))
    }

    async fn stream(&self, name: &str, offset: u64) -> Result<BlobStream, FileError> {
        let file = Stored::of(self.find(name).await?);
        let chunks = self.chunks();
        let read = move |position: u64| {
            let (chunks, file) = (chunks.clone(), file.clone());
            async move {
                let Some((number, skip)) = file.place(position) else {
                    return Ok(None);
                };
                let chunk = chunks.get(&file.id, number).await?;
                let rest = chunk.get(skip..).unwrap_or_default().to_vec();
                let next = position.saturating_add(size(rest.len()));
                Ok(Some((rest, next)))
            }
        };
        Ok(stream::try_unfold(offset, read).boxed())
    }

    async fn size(&self, name: &str) -> Result<u64, FileError> {
        Ok(self.find(name).await?.length)
    }

    async fn remove(&self, name: &str) -> Result<(), FileError> {
        check_name(name)?;
        self.remove_others(name, None).await
    }

    async fn list(
        &self,
        folder: &str,
        untouched_since: Option<DateTime<Utc>>,
    ) -> Result<Vec<String>, FileError> {
        let mut filter = Doc::new();
        if !folder.is_empty() {
            check_name(folder)?;
            // The character after the slash.
            let range = doc! { "$gte": format!("{folder}/"), "$lt": format!("{folder}0") };
            filter.insert("filename", range);
        }
        if let Some(since) = untouched_since {
            let since = BsonTime::from_millis(since.timestamp_millis());
            filter.insert("uploadDate", doc! { "$lt": since });
        }
        let found = self.files().find(filter).await.map_err(failed)?;
        let found: Vec<FilesCollectionDocument> = found.try_collect().await.map_err(failed)?;
        let names = found.into_iter().filter_map(|file| file.filename);
        let names: std::collections::BTreeSet<String> = names.collect();
        Ok(names.into_iter().collect())
    }

    async fn free_bytes(&self) -> Result<u64, FileError> {
        let stats = self.database.run_command(doc! { "dbStats": 1 });
        let stats = stats.await.map_err(failed)?;
        let number = |name: &str| match stats.get(name) {
            Some(Bson::Double(number)) => Some(*number),
            Some(Bson::Int64(number)) => Some(*number as f64),
            Some(Bson::Int32(number)) => Some(f64::from(*number)),
            _ => None,
        };
        // A router of shards says neither: then the server itself refuses what it has no room for.
        let free = number("fsTotalSize").zip(number("fsUsedSize"));
        Ok(free.map_or(u64::MAX, |(total, used)| (total - used).max(0.0) as u64))
    }

    async fn remove_unfinished(&self, untouched_since: DateTime<Utc>) -> Result<u64, FileError> {
        let seconds = u32::try_from(untouched_since.timestamp()).unwrap_or(u32::MAX);
        let before = ObjectId::from_parts(seconds, [0; 5], [0; 3]);
        let chunks = self.chunks().0;
        let pipeline = [
            doc! { "$match": { "n": 0, "files_id": { "$lt": before } } },
            doc! { "$lookup": {
                "from": format!("{BUCKET}.files"),
                "localField": "files_id",
                "foreignField": "_id",
                "as": "file",
            } },
            doc! { "$match": { "file": [] } },
            doc! { "$limit": LEFTOVERS },
            doc! { "$project": { "files_id": 1 } },
        ];
        let found = chunks.aggregate(pipeline).await.map_err(failed)?;
        let found: Vec<Doc> = found.try_collect().await.map_err(failed)?;
        for left in &found {
            let Some(id) = left.get("files_id") else {
                continue;
            };
            let removed = chunks.delete_many(doc! { "files_id": id });
            removed.await.map_err(failed)?;
        }
        Ok(size(found.len()))
    }
}

/// A file being written. The driver removes its chunks when it is dropped before its end.
struct Writer {
    blobs: MongoBlobs,
    name: String,
    id: Bson,
    upload: GridFsUploadStream,
    hash: Sha256,
    bytes: u64,
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.upload.write_all(bytes).await.map_err(io_failed)?;
        self.hash.update(bytes);
        self.bytes += size(bytes.len());
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobInfo, FileError> {
        self.upload.close().await.map_err(io_failed)?;
        self.blobs.remove_others(&self.name, Some(&self.id)).await?;
        let hash = self.hash.finalize();
        Ok(BlobInfo {
            bytes: self.bytes,
            sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

/// What is known of a stored file.
#[derive(Clone)]
struct Stored {
    id: Bson,
    length: u64,
    chunk: u64,
}

impl Stored {
    fn of(file: FilesCollectionDocument) -> Self {
        Self {
            id: file.id,
            length: file.length,
            chunk: u64::from(file.chunk_size_bytes).max(1),
        }
    }

    /// The chunk that a position is in, and where in it; none at the end.
    fn place(&self, position: u64) -> Option<(i32, usize)> {
        if position >= self.length {
            return None;
        }
        let number = i32::try_from(position / self.chunk).ok()?;
        let skip = usize::try_from(position % self.chunk).ok()?;
        Some((number, skip))
    }
}

#[derive(Clone)]
struct Chunks(Collection<RawDocumentBuf>);

impl Chunks {
    async fn get(&self, file: &Bson, number: i32) -> Result<Vec<u8>, FileError> {
        let found = self.0.find_one(doc! { "files_id": file, "n": number });
        let chunk = found.await.map_err(failed)?;
        // It was replaced or removed since it was opened.
        let chunk = chunk.ok_or(FileError::Damaged("a chunk is missing"))?;
        let data = chunk.get_binary("data");
        let data = data.map_err(|_| FileError::Damaged("a chunk has no data"))?;
        Ok(data.bytes.to_vec())
    }
}

/// Reads on a thread that may block.
struct Reader {
    chunks: Chunks,
    file: Stored,
    runtime: Handle,
    position: u64,
    /// The chunk read last.
    held: Option<(i32, Vec<u8>)>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((number, skip)) = self.file.place(self.position) else {
            return Ok(0);
        };
        let chunk = match self.held.take() {
            Some((held, chunk)) if held == number => chunk,
            _ => {
                let get = self.chunks.get(&self.file.id, number);
                self.runtime.block_on(get).map_err(io::Error::from)?
            }
        };
        let rest = chunk.get(skip..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.held = Some((number, chunk));
        self.position += size(count);
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.file.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn failed(error: mongodb::error::Error) -> FileError {
    match error::store(error) {
        StoreError::DiskFull => FileError::DiskFull,
        error => FileError::Store(error),
    }
}

/// What the driver's stream says of a failure.
fn io_failed(error: io::Error) -> FileError {
    match error.downcast::<mongodb::error::Error>() {
        Ok(error) => failed(error),
        Err(error) => error.into(),
    }
}
