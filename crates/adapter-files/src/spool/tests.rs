use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use ports::files::{FileError, SortedRecords, Spool, SpoolInfo};
use proptest::prelude::*;

use super::DiskSpool;

type Pair = (Vec<u8>, Vec<u8>);

fn spool() -> (tempfile::TempDir, DiskSpool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = DiskSpool::new(folder.path()).unwrap();
    (folder, spool)
}

fn sort(spool: &DiskSpool, name: &str, budget: usize, records: &[Pair]) -> SpoolInfo {
    let mut sorter = spool.sorter(name, budget).unwrap();
    for (key, value) in records {
        sorter.push(key, value).unwrap();
    }
    sorter.finish().unwrap()
}

fn read(records: &mut dyn SortedRecords) -> Result<Vec<Pair>, FileError> {
    let mut all = Vec::new();
    while let Some((key, value)) = records.next()? {
        all.push((key.to_vec(), value.to_vec()));
    }
    Ok(all)
}

fn numbered(count: u32) -> Vec<Pair> {
    (0..count)
        .map(|n| {
            let key = format!("{:011}", u64::from(n) * 7_919 % 5_003);
            (key.into_bytes(), n.to_le_bytes().to_vec())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sorts_like_a_stable_sort(
        mut records in prop::collection::vec(
            (prop::collection::vec(0_u8..4, 0..12), prop::collection::vec(any::<u8>(), 0..300)),
            0..200,
        ),
        budget in 0_usize..20_000,
    ) {
        let (folder, spool) = spool();
        let info = sort(&spool, "out", budget, &records);
        prop_assert_eq!(info.records, records.len() as u64);
        prop_assert_eq!(Some(info), spool.info("out").unwrap());
        prop_assert_eq!(info.bytes, fs::metadata(folder.path().join("out")).unwrap().len());
        records.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(read(&mut *spool.open("out", 0).unwrap()).unwrap(), records);
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn many_runs_are_merged_in_several_passes() {
    let (_folder, spool) = spool();
    let mut records = numbered(5_000);
    sort(&spool, "out", 2_000, &records);
    records.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(read(&mut *spool.open("out", 0).unwrap()).unwrap(), records);
}

#[test]
fn reading_goes_on_from_every_offset() {
    let (_folder, spool) = spool();
    sort(&spool, "out", 1 << 20, &numbered(300));
    let all = read(&mut *spool.open("out", 0).unwrap()).unwrap();
    let mut records = spool.open("out", 0).unwrap();
    for done in 1..=all.len() {
        records.next().unwrap().unwrap();
        let mut rest = spool.open("out", records.offset()).unwrap();
        assert_eq!(read(&mut *rest).unwrap(), all[done..]);
    }
    assert!(records.next().unwrap().is_none());
    assert!(records.next().unwrap().is_none());
}

#[test]
fn large_records_and_empty_files_are_kept() {
    let (_folder, spool) = spool();
    let large = vec![
        (vec![1; 400_000], vec![2; 900_000]),
        (vec![0; 300_000], vec![]),
    ];
    sort(&spool, "large", 1_000, &large);
    let read_large = read(&mut *spool.open("large", 0).unwrap()).unwrap();
    assert!(read_large.iter().eq(large.iter().rev()));
    assert_eq!(sort(&spool, "empty", 1_000, &[]).records, 0);
    assert!(spool.exists("empty").unwrap());
    assert!(
        read(&mut *spool.open("empty", 0).unwrap())
            .unwrap()
            .is_empty()
    );
    let mut sorter = spool.sorter("over", 1_000).unwrap();
    let refused = sorter.push(&[], &vec![0; (16 << 20) + 1]);
    assert!(matches!(refused, Err(FileError::TooLarge { .. })));
}

#[test]
fn a_file_cut_or_altered_anywhere_is_an_error() {
    let (folder, spool) = spool();
    sort(&spool, "out", 1 << 20, &numbered(200));
    let path = folder.path().join("out");
    let whole = fs::read(&path).unwrap();
    let attempt = || {
        spool
            .open("out", 0)
            .and_then(|mut records| read(&mut *records))
    };
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(
            matches!(attempt(), Err(FileError::Damaged(_))),
            "cut at {length}"
        );
        assert!(matches!(spool.info("out"), Err(FileError::Damaged(_))));
    }
    for index in (8..whole.len()).step_by(7) {
        let mut altered = whole.clone();
        altered[index] ^= 0x55;
        fs::write(&path, &altered).unwrap();
        assert!(attempt().is_err(), "altered at {index}");
    }
    fs::write(&path, &whole).unwrap();
    assert!(matches!(
        spool.open("out", 1 << 40),
        Err(FileError::Damaged(_))
    ));
}

#[test]
fn nothing_is_visible_before_the_end_and_nothing_stays_after_a_failure() {
    let (folder, spool) = spool();
    let mut sorter = spool.sorter("op/out", 100).unwrap();
    for (key, value) in numbered(50) {
        sorter.push(&key, &value).unwrap();
    }
    assert!(!spool.exists("op/out").unwrap());
    assert!(matches!(spool.open("op/out", 0), Err(FileError::NotFound)));
    assert!(fs::read_dir(folder.path().join("op")).unwrap().count() > 10);
    drop(sorter);
    assert_eq!(fs::read_dir(folder.path().join("op")).unwrap().count(), 0);
}

#[test]
fn removing_takes_leftovers_of_this_name_only() {
    let (folder, spool) = spool();
    sort(&spool, "op/out", 1_000, &numbered(3));
    sort(&spool, "op/out.b", 1_000, &numbered(3));
    fs::write(folder.path().join("op/out~1-9"), b"run").unwrap();
    spool.remove("op/out").unwrap();
    spool.remove("op/out").unwrap();
    spool.remove("missing/out").unwrap();
    let left: Vec<_> = fs::read_dir(folder.path().join("op"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["out.b"]);
    assert!(matches!(
        spool.sorter("../out", 10),
        Err(FileError::InvalidName)
    ));
}

#[test]
fn names_are_those_that_nobody_writes_to() {
    let (folder, spool) = spool();
    sort(&spool, "recycle/1.keep", 1 << 20, &numbered(3));
    sort(&spool, "uploads/2.rows", 1 << 20, &numbered(3));
    fs::write(folder.path().join("uploads/3.rows~9-1"), b"cut off").unwrap();
    let now = DateTime::<Utc>::from(fs::metadata(folder.path()).unwrap().modified().unwrap());
    let (before, after) = (now - TimeDelta::minutes(1), now + TimeDelta::minutes(1));
    assert!(spool.names(before).unwrap().is_empty());
    let names = spool.names(after).unwrap();
    assert_eq!(
        names,
        ["recycle/1.keep", "uploads/2.rows", "uploads/3.rows"]
    );
    spool.remove("uploads/3.rows").unwrap();
    assert_eq!(spool.names(after).unwrap().len(), 2);
}
