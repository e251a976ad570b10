//! What may come of a command: the steps it is made of, in every order in which they may happen, and
//! what the reference looks like after some of them.

use super::{
    command::{Command, Item},
    real::Answer,
    seen::{Seen, SeenAudience, SeenOp},
    world::{Kind, Op, Report, Shown, State, Walk, World},
};

/// One step that happens at once, and whose answer it makes.
#[derive(Debug, Clone)]
pub enum Atom {
    Do(Command),
    /// A request of an audience has its number; what it asked for may never come.
    Ask(usize),
    Claim(usize),
    Apply(usize, usize),
    End(usize),
    /// It ends before its work is done.
    Stop(usize),
    Idle,
}

pub type Ordering = Vec<(usize, Atom)>;

/// Whether an operation was cut off whose outcome rests on more than its own contacts, so that it has
/// to go on before anything else happens.
pub fn is_cut_off(op: &Op) -> bool {
    let alone = match &op.kind {
        Kind::Upload(_) | Kind::Create(_) => true,
        Kind::Recycle { rules, target } => target.is_none() && rules.is_timeless(),
        Kind::Duplicate { .. } | Kind::Clear { .. } => false,
    };
    op.state == State::Running && !alone
}

pub const fn pool_of(kind: &Kind) -> usize {
    match kind {
        Kind::Upload(_) | Kind::Create(_) | Kind::Duplicate { .. } => 0,
        Kind::Recycle { .. } | Kind::Clear { .. } => 1,
    }
}

/// Everything in which order a command may happen.
pub fn orderings(world: &World, command: &Command) -> Vec<Ordering> {
    match command {
        Command::Work { pool } => work_orderings(world, *pool, false),
        Command::Interrupt { pool, .. } => work_orderings(world, *pool, true),
        Command::Race { at, a, b } => {
            let (a, b) = (adding(world, 0, *at, a), adding(world, 1, *at, b));
            vec![[a.clone(), b.clone()].concat(), [b, a].concat()]
        }
        Command::WorkWhileAdding { pool, at, items } => {
            beside_work(world, *pool, &adding(world, 1, *at, items))
        }
        Command::WorkWhileRemoving { pool, at, doc } => {
            let (at, doc) = (*at, *doc);
            let remove = (1, Atom::Do(Command::RemoveOne { at, doc }));
            beside_work(world, *pool, &[remove])
        }
        Command::Add { at, items } => vec![adding(world, 0, *at, items)],
        other => vec![vec![(0, Atom::Do(other.clone()))]],
    }
}

/// Items go in, in two steps: the request gets its number, and its rows are stored.
fn adding(world: &World, who: usize, at: usize, items: &[Item]) -> Ordering {
    let items = items.to_vec();
    let writes = items.iter().any(|i| i.good().is_some()) && !world.audiences[at].dropped;
    let ask = writes.then_some((who, Atom::Ask(at)));
    let add = (who, Atom::Do(Command::Add { at, items }));
    ask.into_iter().chain([add]).collect()
}

/// Work, and something else at every moment of it.
fn beside_work(world: &World, pool: usize, other: &[(usize, Atom)]) -> Vec<Ordering> {
    let beside = |work: Ordering| {
        let between = |place| [&work[..place], other, &work[place..]].concat();
        (0..=work.len()).map(between).collect::<Vec<_>>()
    };
    let work = work_orderings(world, pool, false);
    work.into_iter().flat_map(beside).collect()
}

/// Whether an operation is about the rows of an earlier upload that has not ended.
fn waits(world: &World, op: usize) -> bool {
    let about = match world.ops[op].kind {
        Kind::Recycle { .. } => world.ops[op].audience,
        Kind::Duplicate { source } => source,
        _ => return false,
    };
    let is_upload = |o: &Op| matches!(o.kind, Kind::Upload(_)) && o.audience == about;
    let earlier = world.ops[..op].iter();
    world.ops[op].state == State::Queued && earlier.filter(|o| o.state.is_live()).any(is_upload)
}

/// How the next operation is worked on. With `stop` it may end before its work is done.
fn work_orderings(world: &World, pool: usize, stop: bool) -> Vec<Ordering> {
    let live = |i: &usize| {
        let op = &world.ops[*i];
        op.state.is_live() && pool_of(&op.kind) == pool && !waits(world, *i)
    };
    let of = |op: usize| {
        let one = &world.ops[op];
        let last = one.batches_of_rows().len();
        // Whether the run that was cut off told of its last batch or not.
        let firsts = one.batches.saturating_sub(1)..=one.batches;
        let mut orderings = Vec::new();
        for first in firsts {
            let applied = |until| (first..until).map(move |batch| (0, Atom::Apply(op, batch)));
            let claimed = |until, end| {
                let claim = [(0, Atom::Claim(op))];
                claim
                    .into_iter()
                    .chain(applied(until))
                    .chain([(0, end)])
                    .collect()
            };
            orderings.push(claimed(last, Atom::End(op)));
            if stop || one.cancel {
                orderings.extend((first..=last).map(|until| claimed(until, Atom::Stop(op))));
            }
        }
        orderings
    };
    let all: Vec<_> = (0..world.ops.len()).filter(live).flat_map(of).collect();
    if all.is_empty() {
        vec![vec![(0, Atom::Idle)]]
    } else {
        all
    }
}

/// The world after some steps, and the answers by who asked.
pub fn run(world: &World, steps: &[(usize, Atom)]) -> (World, Vec<Answer>) {
    let mut world = world.clone();
    let mut answers: Vec<(usize, Answer)> = Vec::new();
    for (who, atom) in steps {
        match atom {
            Atom::Do(command) => answers.push((*who, act(&mut world, command))),
            Atom::Ask(at) => {
                world.next_request(*at);
            }
            Atom::Claim(op) => world.ops[*op].state = State::Running,
            Atom::Apply(op, batch) => world.apply_batch(*op, *batch),
            Atom::Stop(op) => {
                world.stop(*op);
                answers.push((*who, Answer::Worked(true)));
            }
            Atom::End(op) => {
                world.finish(*op);
                answers.push((*who, Answer::Worked(true)));
            }
            Atom::Idle => answers.push((*who, Answer::Worked(false))),
        }
    }
    answers.sort_by_key(|(who, _)| *who);
    (
        world,
        answers.into_iter().map(|(_, answer)| answer).collect(),
    )
}

fn deleted() -> Answer {
    Answer::Refused("audience_deleted".to_owned())
}

/// A request happens.
fn act(world: &mut World, command: &Command) -> Answer {
    let dropped = |world: &World, at: usize| world.audiences[at].dropped;
    match command {
        Command::Add { at, .. }
        | Command::RemoveOne { at, .. }
        | Command::Upload { at, .. }
        | Command::Recycle { at, .. }
        | Command::Duplicate { at }
        | Command::Clear { at }
            if dropped(world, *at) =>
        {
            deleted()
        }
        Command::Create { ws, items } => {
            let new = world.new_audience(*ws, Shown::Ready);
            Answer::Added(world.add(new, items))
        }
        Command::Add { at, items } => Answer::Added(world.add(*at, items)),
        Command::RemoveOne { at, doc } if world.remove_one(*at, *doc) => Answer::Done,
        Command::RemoveOne { .. } => Answer::Refused("not_found".to_owned()),
        Command::Upload { at, rows } => {
            let request = world.next_request(*at);
            world.new_op(Kind::Upload(rows.clone()), *at, request);
            Answer::Done
        }
        Command::UploadNew { ws, rows } => {
            let new = world.new_audience(*ws, Shown::Creating);
            world.new_op(Kind::Create(rows.clone()), new, 0);
            Answer::Done
        }
        Command::Recycle {
            at,
            rules,
            to_new,
            dry_run,
        } => {
            let (report, _) = world.judge(*at, rules);
            let ws = world.audiences[*at].ws;
            let target = to_new.then(|| world.new_audience(ws, Shown::Creating));
            world.new_op(
                Kind::Recycle {
                    rules: rules.clone(),
                    target,
                },
                *at,
                world.requests,
            );
            if *dry_run {
                Answer::Verdict(report)
            } else {
                Answer::Done
            }
        }
        Command::Duplicate { at } => {
            let new = world.new_audience(world.audiences[*at].ws, Shown::Creating);
            world.new_op(Kind::Duplicate { source: *at }, new, 0);
            Answer::Done
        }
        Command::Clear { at } => {
            world.clear(*at);
            Answer::Done
        }
        Command::Drop { at } | Command::Restore { at } => {
            world.audiences[*at].dropped = matches!(command, Command::Drop { .. });
            Answer::Done
        }
        Command::OptOut { ws, docs } => {
            world.opted_out[*ws].extend(docs);
            Answer::Done
        }
        Command::Age => {
            world.age();
            Answer::Done
        }
        Command::Purge => Answer::Done,
        other => act_or_read(world, other),
    }
}

fn act_or_read(world: &mut World, command: &Command) -> Answer {
    match command {
        Command::Undo { op } => match world.undo(*op) {
            Ok(()) => Answer::Done,
            Err(code) => Answer::Refused(code.to_owned()),
        },
        Command::Cancel { op } if world.ops[*op].state == State::Running => {
            world.ops[*op].cancel = true;
            Answer::Done
        }
        Command::Cancel { op } if world.ops[*op].state.is_live() => {
            world.cancel(*op);
            Answer::Done
        }
        Command::Cancel { .. } => Answer::Refused("operation_ended".to_owned()),
        Command::Retry { op } => {
            let one = &world.ops[*op];
            if one.superseded || !matches!(one.state, State::Failed | State::Cancelled) {
                return Answer::Refused("operation_not_retryable".to_owned());
            }
            world.retry(*op);
            Answer::Done
        }
        Command::Walk { at, limit } => {
            let epoch = world.audiences[*at].current;
            let active = world.epoch(*at).active.clone();
            walk(
                world,
                Walk {
                    audience: *at,
                    epoch,
                    active,
                    after: 0,
                    limit: *limit,
                },
                0,
            )
        }
        Command::WalkOn => match world.walk.clone() {
            Some(on) => {
                let from = on.after + 1;
                walk(world, on, from)
            }
            None => Answer::Unknown,
        },
        Command::Pages { at, .. } => {
            let rows = world
                .visible(*at)
                .into_iter()
                .map(|(d, (_, v))| (d, v))
                .collect();
            Answer::Page { rows, more: false }
        }
        Command::LookUp { at, doc } => look_up(world, *at, *doc),
        other => panic!("{other:?} is no request"),
    }
}

fn walk(world: &mut World, from: Walk, first: u8) -> Answer {
    let epoch = &world.audiences[from.audience].epochs[from.epoch];
    let all = epoch
        .seen_with(&from.active)
        .into_iter()
        .filter(|(d, _)| *d >= first);
    let mut rows: Vec<_> = all.map(|(d, (_, v))| (d, v)).collect();
    let more = rows.len() > from.limit;
    rows.truncate(from.limit);
    let after = rows.last().map_or(0, |(d, _)| *d);
    world.walk = more.then_some(Walk { after, ..from });
    Answer::Page { rows, more }
}

fn look_up(world: &mut World, at: usize, doc: u8) -> Answer {
    let ws = world.audiences[at].ws;
    let ops: Vec<usize> = (0..world.ops.len())
        .filter(|o| world.ops[*o].ws == ws)
        .collect();
    let epoch = world.epoch(at);
    let Some((seq, values)) = epoch.contacts.get(&doc).copied() else {
        return Answer::Unknown;
    };
    if !epoch.is_hidden(doc, seq, &epoch.active) {
        return Answer::Member(values);
    }
    let hides = |r: &&usize| {
        epoch.removals[**r]
            .marks
            .get(&doc)
            .is_some_and(|seen| *seen >= seq)
    };
    let by = epoch
        .active
        .iter()
        .find(hides)
        .map(|r| epoch.removals[*r].op);
    Answer::Removed(by.and_then(|by| ops.iter().position(|o| *o == by)))
}

/// A workspace of the reference as readers would see it.
pub fn shape(world: &World, ws: usize) -> (Vec<SeenAudience>, Vec<SeenOp>) {
    let shown = world
        .shown()
        .into_iter()
        .filter(|a| world.audiences[*a].ws == ws);
    let audience = |a: usize| {
        let members: Vec<_> = world
            .visible(a)
            .into_iter()
            .map(|(d, (_, v))| (d, v))
            .collect();
        SeenAudience {
            dropped: world.audiences[a].dropped,
            contacts: members.len() as i64,
            members,
        }
    };
    let op = |o: &Op| SeenOp {
        kind: match o.kind {
            Kind::Upload(_) => "upload",
            Kind::Create(_) => "create",
            Kind::Recycle { .. } => "recycle",
            Kind::Duplicate { .. } => "duplicate",
            Kind::Clear { .. } => "clear",
        },
        state: o.state,
        undone: o.undone,
        report: o.report.clone(),
        attempt: o.attempt,
    };
    (
        shown.map(audience).collect(),
        world.ops.iter().filter(|o| o.ws == ws).map(op).collect(),
    )
}

pub fn fits(world: &World, ws: usize, seen: &Seen) -> bool {
    let (audiences, ops) = shape(world, ws);
    let reference = world.ops.iter().filter(|o| o.ws == ws);
    let same = |((expected, seen), op): ((&SeenOp, &SeenOp), &Op)| {
        let head = |o: &SeenOp| (o.kind, o.state, o.undone, o.attempt);
        head(expected) == head(seen) && says_what_is(expected, seen, op)
    };
    audiences == seen.audiences
        && ops.len() == seen.ops.len()
        && ops.iter().zip(&seen.ops).zip(reference).all(same)
}

/// Whether an operation's report is that of the reference, as far as there is one.
fn says_what_is(expected: &SeenOp, seen: &SeenOp, op: &Op) -> bool {
    match (&expected.report, &seen.report) {
        _ if expected.state.is_live() => true,
        // It was cancelled before it had read its rows.
        (Some(_), None) if expected.state == State::Cancelled => op.batches == 0,
        // Nothing of it stands.
        (
            None,
            Some(Report::Upload {
                received, rejected, ..
            }),
        ) => received == rejected,
        (
            None,
            Some(Report::Removal {
                removed, by_reason, ..
            }),
        ) => *removed == 0 && by_reason.is_empty(),
        (Some(Report::Upload { rejected, .. }), Some(Report::Upload { rejected: r, .. }))
            if op.loose =>
        {
            rejected == r
        }
        (expected, seen) => expected == seen,
    }
}
