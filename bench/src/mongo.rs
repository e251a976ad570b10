//! The bare store of a replica: the driver of MongoDB, with the same documents and indexes, batches of
//! 1,000, acknowledged by the majority and the journal, four in flight.

use adapter_mongo::{ContactRow, TombstoneRow};
use anyhow::ensure;
use domain::contact::ContactBody;
use futures::{StreamExt, TryStreamExt, stream};
use mongodb::{
    Client, Collection, Database, IndexModel,
    bson::{Document, RawDocumentBuf, doc, rawdoc},
    error::ErrorKind,
    options::{Acknowledgment, ClientOptions, WriteConcern},
};
use tokio::runtime::Runtime;

use crate::bare::{BareStore, Row, WORKSPACE, Weight};

/// Rows of one command.
const ROWS: usize = 1_000;
/// Commands under way at a time.
const IN_FLIGHT: usize = 4;
/// As long as the part of a key that says which content.
const CONTENT: &str = "-4Lhlxhk5aB----------1";
const WRITE: i64 = 382_420_090_626_244_608;
const FIRST_SEQ: i64 = 1 << 32;
const REASONS: i64 = 2;

/// A database.
pub struct Mongo {
    runtime: Runtime,
    database: Database,
    seq: i64,
}

impl Mongo {
    pub fn open(url: &str, name: &str) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let database = runtime.block_on(async {
            let mut options = ClientOptions::parse(url).await?;
            let majority = WriteConcern::builder().w(Acknowledgment::Majority);
            options.write_concern = Some(majority.journal(true).build());
            anyhow::Ok(Client::with_options(options)?.database(name))
        })?;
        Ok(Self {
            runtime,
            database,
            seq: FIRST_SEQ,
        })
    }

    /// The index that the service has besides the key's.
    pub fn create(&self) -> anyhow::Result<()> {
        let by_person = IndexModel::builder().keys(doc! { "k": 1, "d": 1 }).build();
        let contacts = self.contacts();
        self.runtime
            .block_on(async { contacts.create_index(by_person).await })?;
        Ok(())
    }

    /// What is stored, so that both sides are known to have stored the same.
    pub fn weigh(&self) -> anyhow::Result<Weight> {
        let sum = doc! { "$group": {
            "_id": null, "rows": { "$sum": 1 }, "bytes": { "$sum": { "$bsonSize": "$$ROOT" } },
        } };
        let contacts = self.contacts();
        let found: Vec<Document> = self.runtime.block_on(async {
            let cursor = contacts.aggregate([sum]).await?;
            cursor.try_collect().await
        })?;
        let number = |name| -> i64 {
            let value = found.first().and_then(|found| found.get(name));
            value.map_or(0, |v| v.as_i64().or(v.as_i32().map(i64::from)).unwrap_or(0))
        };
        Ok(Weight {
            rows: number("rows"),
            bytes: number("bytes"),
        })
    }

    fn contacts(&self) -> Collection<RawDocumentBuf> {
        self.database.collection("contacts")
    }

    fn stones(&self) -> Collection<RawDocumentBuf> {
        self.database.collection("tombstones")
    }

    fn rows(&mut self, rows: &[Row]) -> anyhow::Result<Vec<ContactRow>> {
        let row = |(document, body): &Row| {
            self.seq += 1;
            Ok(ContactRow {
                id: format!("{CONTENT}{document}"),
                document: document.clone(),
                workspace: WORKSPACE.to_owned(),
                seq: self.seq,
                previous: -1,
                write: WRITE,
                body: RawDocumentBuf::from_bytes(body.clone())?,
            })
        };
        rows.iter().map(row).collect()
    }
}

/// Inserts a batch; answers the positions of rows that are there.
async fn insert(
    collection: &Collection<RawDocumentBuf>,
    rows: Vec<RawDocumentBuf>,
) -> anyhow::Result<Vec<usize>> {
    let Err(error) = collection.insert_many(rows).ordered(false).await else {
        return Ok(Vec::new());
    };
    match &*error.kind {
        ErrorKind::InsertMany(many) if many.write_concern_error.is_none() => {
            let there = many.write_errors.iter().flatten();
            Ok(there.map(|error| error.index).collect())
        }
        _ => Err(error.into()),
    }
}

/// Replaces rows that are there by one command.
async fn update(database: &Database, rows: Vec<&ContactRow>) -> anyhow::Result<()> {
    let count = rows.len();
    let mut updates = mongodb::bson::RawArrayBuf::new();
    for row in rows {
        updates.push(rawdoc! {
            "q": { "_id": row.id.as_str() },
            "u": { "$set": {
                "k": row.workspace.as_str(), "s": row.seq, "p": row.previous, "w": row.write,
                "b": row.body.clone(),
            } },
        });
    }
    let command = rawdoc! {
        "update": "contacts", "updates": updates, "ordered": false,
        "writeConcern": { "w": "majority", "j": true },
    };
    let reply = database.run_raw_command(command).await?;
    ensure!(
        reply.get_i32("n").ok() == i32::try_from(count).ok(),
        "updated {reply}"
    );
    Ok(())
}

impl BareStore for Mongo {
    fn encode(&self, body: &ContactBody) -> anyhow::Result<Vec<u8>> {
        Ok(adapter_mongo::encode_body(body)?.into_bytes())
    }

    fn insert(&mut self, rows: &[Row]) -> anyhow::Result<()> {
        let rows = self.rows(rows)?;
        let contacts = self.contacts();
        let one = |part: &[ContactRow]| {
            let raw = part.iter().map(ContactRow::to_raw).collect();
            let contacts = &contacts;
            async move {
                let there = insert(contacts, raw).await?;
                ensure!(there.is_empty(), "{} rows are there", there.len());
                Ok(())
            }
        };
        let parts = stream::iter(rows.chunks(ROWS).map(one)).buffer_unordered(IN_FLIGHT);
        self.runtime.block_on(parts.try_collect::<()>())
    }

    fn upsert(&mut self, rows: &[Row]) -> anyhow::Result<()> {
        let rows = self.rows(rows)?;
        let (contacts, database) = (self.contacts(), self.database.clone());
        let one = |part: &'_ [ContactRow]| {
            let raw: Vec<_> = part.iter().map(ContactRow::to_raw).collect();
            let part: Vec<ContactRow> = part.to_vec();
            let (contacts, database) = (&contacts, &database);
            async move {
                let there = insert(contacts, raw).await?;
                let there = there.iter().filter_map(|at| part.get(*at)).collect();
                update(database, there).await
            }
        };
        let parts = stream::iter(rows.chunks(ROWS).map(one)).buffer_unordered(IN_FLIGHT);
        self.runtime.block_on(parts.try_collect::<()>())
    }

    fn put_tombstones(&mut self, documents: &[String]) -> anyhow::Result<()> {
        let stones = self.stones();
        let one = |part: &[String]| {
            let stone = |document: &String| TombstoneRow {
                id: format!("{CONTENT}{document}\0----------1"),
                removal: 1,
                seq: FIRST_SEQ,
                reasons: REASONS,
                counted: REASONS,
                run: 1,
            };
            let raw = part
                .iter()
                .map(|document| stone(document).to_raw())
                .collect();
            let stones = &stones;
            async move { insert(stones, raw).await.map(drop) }
        };
        let parts = stream::iter(documents.chunks(ROWS).map(one)).buffer_unordered(IN_FLIGHT);
        self.runtime.block_on(parts.try_collect::<()>())
    }

    fn clear_tombstones(&mut self) -> anyhow::Result<()> {
        Ok(self
            .runtime
            .block_on(async { self.stones().drop().await })?)
    }

    fn scan(&mut self) -> anyhow::Result<i64> {
        let contacts = self.contacts();
        self.runtime.block_on(async {
            let found = contacts.find(doc! {}).sort(doc! { "_id": 1 });
            let mut cursor = found
                .projection(doc! { "_id": 1, "s": 1 })
                .batch_size(10_000)
                .await?;
            let mut seen = 0;
            while cursor.advance().await? {
                seen += 1;
            }
            Ok(seen)
        })
    }
}
