use super::*;

const LIMITS: Limits = Limits {
    page_size: 3,
    pages: 50,
    idle_pages: 3,
    passes: 3,
};

/// What the other side tells beside the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tells {
    Nothing,
    Pages,
    Rows,
    More,
}

fn totals(tells: Tells, page: u64, rows: &[u64]) -> Totals {
    let count = rows.len() as u64;
    let pages = count.div_ceil(3);
    Totals {
        pages: (tells == Tells::Pages).then_some(pages),
        rows: (tells == Tells::Rows).then_some(count),
        more: (tells == Tells::More).then_some(page < pages),
    }
}

fn slice(rows: &[u64], page: u64) -> Vec<u64> {
    rows.chunks(3)
        .nth(page as usize - 1)
        .unwrap_or_default()
        .to_vec()
}

/// Walks a list that `answer` serves; the pages asked for, the rows seen, and the end.
fn walk(
    mut walk: Walk,
    mut answer: impl FnMut(usize, u64) -> (Vec<u64>, Totals),
) -> (Vec<u64>, HashSet<u64>, Result<End, WalkError>) {
    let (mut asked, mut found) = (Vec::new(), HashSet::new());
    loop {
        let page = match walk.next() {
            Next::Page(page) => page,
            Next::Done(end) => return (asked, found, Ok(end)),
        };
        asked.push(page);
        let (keys, totals) = answer(asked.len(), page);
        if let Err(error) = walk.arrived(&keys, &totals) {
            return (asked, found, Err(error));
        }
        found.extend(keys);
    }
}

fn still(rows: &[u64], tells: Tells) -> (Vec<u64>, HashSet<u64>, Result<End, WalkError>) {
    walk(Walk::new(LIMITS), |_, page| {
        (slice(rows, page), totals(tells, page, rows))
    })
}

#[test]
fn a_still_list_is_read_once() {
    for count in [0, 1, 3, 4, 9] {
        let rows: Vec<u64> = (0..count).collect();
        let pages = count.div_ceil(3);
        for tells in [Tells::Nothing, Tells::Pages, Tells::Rows, Tells::More] {
            let (asked, found, end) = still(&rows, tells);
            let probe = u64::from(tells == Tells::Nothing);
            let expected: Vec<_> = (1..=(pages + probe).max(1)).collect();
            assert_eq!(asked, expected, "{count} rows, {tells:?}");
            assert_eq!((found.len(), end), (rows.len(), Ok(End::Complete)));
        }
    }
}

#[test]
fn an_empty_list_with_one_page_is_complete() {
    let told = Totals {
        pages: Some(1),
        ..Totals::default()
    };
    let (asked, _, end) = walk(Walk::new(LIMITS), |_, _| (Vec::new(), told));
    assert_eq!((asked, end), (vec![1], Ok(End::Complete)));
}

#[test]
fn a_deletion_in_pages_read_makes_the_walk_step_back() {
    for tells in [Tells::Pages, Tells::Rows] {
        let before: Vec<u64> = (0..10).collect();
        let after: Vec<u64> = before.iter().copied().filter(|id| *id != 1).collect();
        let (asked, found, end) = walk(Walk::new(LIMITS), |n, page| {
            let rows = if n <= 2 { &before } else { &after };
            (slice(rows, page), totals(tells, page, rows))
        });
        assert_eq!(asked[..6], [1, 2, 3, 2, 1, 1], "{tells:?}");
        assert_eq!((found.len(), end), (10, Ok(End::Complete)));
    }
}

#[test]
fn a_row_that_comes_twice_makes_another_pass() {
    let before: Vec<u64> = (0..9).collect();
    let after: Vec<u64> = [100].into_iter().chain(0..9).collect();
    let (asked, found, end) = walk(Walk::new(LIMITS), |n, page| {
        let rows = if n <= 1 { &before } else { &after };
        (slice(rows, page), totals(Tells::Nothing, page, rows))
    });
    assert_eq!(asked, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
    assert_eq!((found.len(), end), (10, Ok(End::Complete)));
}

#[test]
fn a_list_that_never_rests_ends_partial_after_three_passes() {
    let (asked, _, end) = walk(Walk::new(LIMITS), |n, page| {
        let first = 1_000 - n as u64;
        let rows: Vec<u64> = (first..1_009).collect();
        (slice(&rows, page), totals(Tells::Rows, page, &rows))
    });
    assert_eq!(end, Ok(End::Partial));
    assert_eq!(asked.iter().filter(|page| **page == 1).count(), 3);
}

#[test]
fn a_short_page_in_the_middle_is_read_again_and_is_not_the_last() {
    let rows: Vec<u64> = (0..9).collect();
    for (tells, expected) in [
        (Tells::Nothing, vec![1, 2, 3, 2]),
        (Tells::More, vec![1, 2, 3, 2]),
        (Tells::Pages, vec![1, 2, 3, 2]),
    ] {
        let (asked, found, end) = walk(Walk::new(LIMITS), |n, page| {
            let mut keys = slice(&rows, page);
            if n == 2 {
                keys.truncate(1);
            }
            (keys, totals(tells, page, &rows))
        });
        assert_eq!(asked[..4], expected, "{tells:?}");
        assert_eq!((found.len(), end), (9, Ok(End::Complete)));
    }
}

#[test]
fn an_empty_page_in_the_middle_is_not_the_last_where_more_are_announced() {
    let rows: Vec<u64> = (0..9).collect();
    let (asked, found, end) = walk(Walk::new(LIMITS), |n, page| {
        let keys = if n == 2 {
            Vec::new()
        } else {
            slice(&rows, page)
        };
        (keys, totals(Tells::Rows, page, &rows))
    });
    assert_eq!(
        asked,
        [1, 2, 3, 2, 1],
        "all nine are counted: no second pass"
    );
    assert_eq!((found.len(), end), (9, Ok(End::Complete)));
}

#[test]
fn a_list_that_is_always_short_of_its_total_is_complete_when_it_comes_twice_the_same() {
    let rows: Vec<u64> = (0..6).collect();
    let told = Totals {
        rows: Some(8),
        ..Totals::default()
    };
    let (asked, _, end) = walk(Walk::new(LIMITS), |_, page| (slice(&rows, page), told));
    assert_eq!((asked, end), (vec![1, 2, 3, 1, 2, 3], Ok(End::Complete)));
}

#[test]
fn endless_pages_are_noticed() {
    let same = walk(Walk::new(LIMITS), |_, _| (vec![1, 2, 3], Totals::default()));
    assert_eq!((same.0.len(), same.2), (4, Err(WalkError::NoProgress)));
    let more = Totals {
        more: Some(true),
        ..Totals::default()
    };
    let empty = walk(Walk::new(LIMITS), |_, _| (Vec::new(), more));
    assert_eq!((empty.0.len(), empty.2), (3, Err(WalkError::NoProgress)));
    let new = walk(Walk::new(LIMITS), |n, _| (vec![n as u64], more));
    assert_eq!((new.0.len(), new.2), (51, Err(WalkError::TooManyPages)));
}

#[test]
fn a_walk_taken_up_at_any_checkpoint_asks_no_page_twice() {
    let rows: Vec<u64> = (0..10).collect();
    let mut walk = Walk::new(LIMITS);
    let (mut stored, mut asked) = (Vec::new(), Vec::new());
    while let Next::Page(page) = walk.next() {
        asked.push(page);
        let told = totals(Tells::Pages, page, &rows);
        let mark = walk.arrived(&slice(&rows, page), &told).unwrap();
        assert_eq!(mark.request, asked.len() as u64);
        stored.extend(mark.to_bytes());
        let json = serde_json::to_string(walk.checkpoint()).unwrap();
        assert!(json.len() < 600);
        let checkpoint = serde_json::from_str(&json).unwrap();
        walk = Walk::resume(LIMITS, checkpoint, Mark::keys_of(&stored));
    }
    assert_eq!(asked, [1, 2, 3, 4]);
    assert_eq!(walk.next(), Next::Done(End::Complete));
}

#[test]
fn a_walk_from_the_middle_is_followed_by_one_over_all() {
    let rows: Vec<u64> = (0..9).collect();
    let mut pages_done = Vec::new();
    let mut from = Walk::from_page(LIMITS, 2);
    let mut asked = Vec::new();
    while let Next::Page(page) = from.next() {
        asked.push(page);
        let told = totals(Tells::Pages, page, &rows);
        from.arrived(&slice(&rows, page), &told).unwrap();
        pages_done.push(from.checkpoint().page_done());
    }
    assert_eq!(asked, [2, 3, 1, 2, 3]);
    assert_eq!(pages_done, [2, 0, 1, 2, 0]);
}
