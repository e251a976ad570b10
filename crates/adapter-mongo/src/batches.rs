//! Many single writes at a time: what the driver has no call for on servers before 8.0.

use futures::{StreamExt, stream};
use mongodb::{
    Collection, Database,
    bson::{
        RawArrayBuf, RawDocumentBuf, doc,
        raw::{CStr, cstr},
        rawdoc,
    },
    error::{Error, ErrorKind},
};
use ports::StoreError;
use serde::Deserialize;

use crate::error;

/// Most rows of one command.
pub(crate) const ROWS: usize = 1_000;
/// Fewer rows are not worth a command of their own.
const FEW: usize = 200;
/// The key exists.
const DUPLICATE_KEY: i32 = 11_000;

/// Rows of each command where so many may be under way: all have something to do.
pub(crate) fn part_of(rows: usize, in_flight: usize) -> usize {
    rows.div_ceil(in_flight.max(1)).clamp(FEW, ROWS)
}

/// Inserts rows, so many commands under way at a time; answers the positions of those whose key exists,
/// ascending.
pub(crate) async fn insert<R>(
    collection: &Collection<RawDocumentBuf>,
    rows: &[R],
    to_raw: fn(&R) -> RawDocumentBuf,
    in_flight: usize,
) -> Result<Vec<usize>, StoreError> {
    let size = part_of(rows.len(), in_flight);
    let parts: Vec<_> = rows
        .chunks(size)
        .enumerate()
        .map(|(number, part)| insert_part(collection, part, to_raw, number * size))
        .collect();
    let found = stream::iter(parts).buffered(in_flight);
    let mut found = all_or_worst(found.collect().await)?.concat();
    found.sort_unstable();
    Ok(found)
}

/// What all commands answered, or the failure that binds the caller the most: one that leaves in doubt
/// what is stored comes before a refusal, and a refusal before one that nobody has heard.
fn all_or_worst<T>(answers: Vec<Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    let weight = |failure: &StoreError| match failure {
        StoreError::Unavailable(cause) if error::may_have_been_sent(cause) => 2,
        StoreError::Unavailable(_) => 0,
        _ => 1,
    };
    let (mut all, mut failures) = (Vec::with_capacity(answers.len()), Vec::new());
    for answer in answers {
        match answer {
            Ok(answer) => all.push(answer),
            Err(failure) => failures.push(failure),
        }
    }
    failures.into_iter().max_by_key(weight).map_or(Ok(all), Err)
}

async fn insert_part<R>(
    collection: &Collection<RawDocumentBuf>,
    part: &[R],
    to_raw: fn(&R) -> RawDocumentBuf,
    first: usize,
) -> Result<Vec<usize>, StoreError> {
    // Only now: the server works on one part while the next is encoded.
    let raw: Vec<RawDocumentBuf> = part.iter().map(to_raw).collect();
    match collection.insert_many(raw).ordered(false).await {
        Ok(_) => Ok(Vec::new()),
        Err(error) => duplicates(error, first),
    }
}

/// Positions of the rows whose keys exist, if nothing else went wrong.
fn duplicates(error: Error, first: usize) -> Result<Vec<usize>, StoreError> {
    let only_duplicates = match &*error.kind {
        ErrorKind::InsertMany(many) if many.write_concern_error.is_none() => many
            .write_errors
            .as_ref()
            .filter(|errors| errors.iter().all(|error| error.code == DUPLICATE_KEY)),
        _ => None,
    };
    match only_duplicates {
        Some(errors) => Ok(errors.iter().map(|error| first + error.index).collect()),
        None => Err(error::store(error)),
    }
}

#[derive(Deserialize)]
struct Reply {
    n: i64,
    #[serde(default, rename = "writeErrors")]
    errors: Vec<ReplyError>,
    #[serde(rename = "writeConcernError")]
    concern: Option<ReplyError>,
}

#[derive(Deserialize)]
struct ReplyError {
    code: i32,
    #[serde(default, rename = "errmsg")]
    text: String,
}

/// Updates of single rows, in no particular order; answers how many rows were met. Each must be
/// harmless when it is run twice: where the connection breaks, all are sent once more.
pub(crate) async fn update(
    database: &Database,
    collection: &str,
    updates: &[RawDocumentBuf],
    in_flight: usize,
) -> Result<i64, StoreError> {
    statements(
        database,
        cstr!("update"),
        collection,
        cstr!("updates"),
        updates,
        in_flight,
    )
    .await
}

/// As [`update`], deletes.
pub(crate) async fn delete(
    database: &Database,
    collection: &str,
    deletes: &[RawDocumentBuf],
) -> Result<i64, StoreError> {
    statements(
        database,
        cstr!("delete"),
        collection,
        cstr!("deletes"),
        deletes,
        1,
    )
    .await
}

async fn statements(
    database: &Database,
    name: &'static CStr,
    collection: &str,
    list: &'static CStr,
    statements: &[RawDocumentBuf],
    in_flight: usize,
) -> Result<i64, StoreError> {
    let send = |part: &[RawDocumentBuf]| {
        let command = command(name, collection, list, part);
        async move {
            match run(database, command.clone()).await {
                Err(StoreError::Unavailable(_)) => run(database, command).await,
                answer => answer,
            }
        }
    };
    let size = part_of(statements.len(), in_flight);
    let parts: Vec<_> = statements.chunks(size).map(send).collect();
    let counts = stream::iter(parts).buffer_unordered(in_flight);
    Ok(all_or_worst(counts.collect().await)?.iter().sum())
}

fn command(name: &CStr, collection: &str, list: &CStr, part: &[RawDocumentBuf]) -> RawDocumentBuf {
    let mut statements = RawArrayBuf::new();
    for statement in part {
        statements.push(statement.clone());
    }
    let mut command = RawDocumentBuf::new();
    command.append(name, collection);
    command.append(list, statements);
    command.append(cstr!("ordered"), false);
    command.append(
        cstr!("writeConcern"),
        rawdoc! { "w": "majority", "j": true },
    );
    command
}

async fn run(database: &Database, command: RawDocumentBuf) -> Result<i64, StoreError> {
    let reply = database
        .run_raw_command(command)
        .await
        .map_err(error::store)?;
    let reply: Reply = mongodb::bson::deserialize_from_document(reply).map_err(error::bson)?;
    let failed = reply.errors.iter().chain(&reply.concern);
    let failed = failed.map(|failed| error::reply(failed.code, &failed.text));
    // One that found no room among others says what to wait for.
    let worst = failed.reduce(|first, next| match next {
        StoreError::DiskFull => next,
        _ => first,
    });
    worst.map_or(Ok(reply.n), Err)
}

/// `{_id: {$in: ids}}`.
pub(crate) fn among(ids: Vec<String>) -> mongodb::bson::Document {
    doc! { "_id": { "$in": ids } }
}

#[cfg(test)]
mod tests {
    use ports::StoreError::{DiskFull, Unavailable};

    use super::*;

    #[test]
    fn doubt_outweighs_a_refusal_and_a_refusal_what_nobody_heard() {
        const HOST_UNREACHABLE: i32 = 6;
        let doubt = || Err(error::reply(HOST_UNREACHABLE, ""));
        let (refused, unheard) = (|| Err(DiskFull), || Err(error::unsent()));
        let worst = |answers: Vec<Result<u8, StoreError>>| all_or_worst(answers).unwrap_err();
        let in_doubt = |failure: &StoreError| matches!(failure, Unavailable(cause) if error::may_have_been_sent(cause));
        assert!(in_doubt(&worst(vec![unheard(), doubt(), refused()])));
        assert!(in_doubt(&worst(vec![refused(), Ok(1), doubt(), unheard()])));
        assert!(matches!(worst(vec![refused(), unheard(), Ok(1)]), DiskFull));
        assert!(matches!(worst(vec![Ok(1), unheard()]), Unavailable(_)));
        assert_eq!(all_or_worst(vec![Ok(1), Ok(2)]).unwrap(), [1, 2]);
    }
}
