//! Plays a history on the real thing and on the reference. Where more than one outcome is allowed (two
//! requests at once, a crash), the reference follows all of them and keeps those that fit what is seen.

use std::sync::Arc;

use audience_service::application::{
    App,
    operations::{Pool, WorkOutcome},
};
use domain::shared::{AudienceId, OperationId};

use super::{
    command::{Command, Item, RuleSpec},
    real::{self, Answer, Seen, SeenAudience, SeenOp},
    system::{System, actor, work_off},
    world::{Kind, Report, Shown, State, Walk, World},
};

/// One step that happens at once, and whose answer it makes.
#[derive(Debug, Clone)]
enum Atom {
    Do(Command),
    /// An audience is made, in this workspace; its contacts may never come.
    Make(usize),
    /// A request of an audience has its number; what it asked for may never come.
    Ask(usize),
    Claim(usize),
    Apply(usize),
    End(usize),
    Idle,
}

type Ordering = Vec<(usize, Atom)>;

/// More worlds than this are not followed.
const MOST_WORLDS: usize = 24;

pub struct Player {
    system: System,
    worlds: Vec<World>,
    seen: [Seen; 2],
}

/// Plays a history. The error says where it went another way than the reference.
pub fn play(history: &[Command]) -> Result<(), String> {
    let system = System::new();
    let mut player = Player {
        system,
        worlds: vec![World::default()],
        seen: Default::default(),
    };
    for (number, command) in history.iter().enumerate() {
        player
            .command(command)
            .map_err(|e| format!("command {number}, {command:?}: {e}"))?;
    }
    player.finish().map_err(|e| format!("at the end: {e}"))
}

impl Player {
    fn command(&mut self, command: &Command) -> Result<(), String> {
        self.system.clock.pass(6);
        self.worlds.iter_mut().for_each(|w| w.step += 1);
        match command {
            Command::Restart => {
                self.system.restart();
                self.look(None)
            }
            Command::Crash { points, command } => {
                if let Some(command) = self.resolve(command) {
                    self.system.arm(*points);
                    self.perform(&command)?;
                }
                Ok(())
            }
            other => match self.resolve(other) {
                Some(command) => self.perform(&command),
                None => Ok(()),
            },
        }
    }

    /// Everything that is queued is worked off; then counts and events must be right.
    fn finish(&mut self) -> Result<(), String> {
        self.settle()?;
        let events = self.system.terminal_events();
        for ws in 0..2 {
            let ops = self.worlds[0].ops.iter().filter(|o| o.ws == ws);
            for (op, id) in ops.zip(&self.seen[ws].op_ids) {
                let sent = events.get(id).copied().unwrap_or_default();
                if sent != op.ended.len() {
                    let kind = &op.kind;
                    return Err(format!(
                        "{sent} terminal events of {kind:?}, ended {:?}",
                        op.ended
                    ));
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        for pool in [0, 1] {
            while self.worlds[0]
                .ops
                .iter()
                .any(|o| o.state.is_live() && pool_of(&o.kind) == pool)
            {
                self.system.clock.pass(6);
                self.worlds.iter_mut().for_each(|w| w.step += 1);
                self.perform(&Command::Work { pool })?;
            }
        }
        Ok(())
    }

    /// The command with its audiences and operations looked up; `None` where there are none.
    fn resolve(&self, command: &Command) -> Option<Command> {
        let world = &self.worlds[0];
        let shown = world.shown();
        let mut command = command.clone();
        match &mut command {
            Command::Add { at, .. }
            | Command::Race { at, .. }
            | Command::RemoveOne { at, .. }
            | Command::Upload { at, .. }
            | Command::Duplicate { at }
            | Command::Clear { at }
            | Command::Drop { at }
            | Command::Restore { at }
            | Command::Walk { at, .. }
            | Command::Pages { at, .. }
            | Command::LookUp { at, .. }
            | Command::WorkWhileAdding { at, .. } => *at = *shown.get(*at % shown.len().max(1))?,
            Command::Recycle { at, rules, .. } => {
                *at = *shown.get(*at % shown.len().max(1))?;
                resolve_rules(world, *at, rules);
            }
            Command::Undo { op } | Command::Retry { op } | Command::Cancel { op } => {
                // The last few are the interesting ones.
                let last = world.ops.len().min(4);
                let back = (*op).checked_rem(last)?;
                *op = world.ops.len() - 1 - back;
            }
            Command::WalkOn => drop(world.walk.as_ref()?),
            Command::Restart => return None,
            _ => {}
        }
        let is_running = |op: &usize| world.ops[*op].state == State::Running;
        match &command {
            Command::Cancel { op } if is_running(op) => None,
            Command::WorkWhileAdding { pool, .. } if self.competes(*pool) => {
                Some(Command::Work { pool: *pool })
            }
            _ => Some(command),
        }
    }

    /// Whether a live operation of the pool looks for duplicates: what it finds beside a write is
    /// neither as before it nor as after it.
    fn competes(&self, pool: usize) -> bool {
        let duplicates =
            |k: &Kind| matches!(k, Kind::Recycle { rules, .. } if rules.duplicates.is_some());
        let live = self.worlds[0].ops.iter().filter(|o| o.state.is_live());
        live.filter(|o| pool_of(&o.kind) == pool)
            .any(|o| duplicates(&o.kind))
    }

    fn perform(&mut self, command: &Command) -> Result<(), String> {
        let answers = self.execute(command);
        let mut next = Vec::new();
        for world in &self.worlds {
            for ordering in orderings(world, command) {
                let least = if answers.is_some() { ordering.len() } else { 0 };
                for length in least..=ordering.len() {
                    let (after, expected) = run(world, &ordering[..length]);
                    if answers.as_ref().is_none_or(|a| *a == expected) {
                        next.push(after);
                    }
                }
            }
        }
        if next.is_empty() {
            let (_, expected) = orderings(&self.worlds[0], command)
                .first()
                .map(|o| run(&self.worlds[0], o))
                .unwrap_or_default();
            return Err(format!("answered {answers:?}, expected {expected:?}"));
        }
        self.worlds = next;
        if answers.is_none() {
            self.system.restart();
            self.look(None)?;
            let timely = |k: &Kind| match k {
                Kind::Upload(_) | Kind::Create(_) => false,
                Kind::Recycle {
                    rules,
                    target: None,
                } => !rules.is_timeless(),
                _ => true,
            };
            if self.worlds[0]
                .ops
                .iter()
                .any(|o| o.state == State::Running && timely(&o.kind))
            {
                self.settle()?;
            }
            return Ok(());
        }
        self.look(None)
    }

    /// Looks at everything, and keeps the worlds that look the same.
    fn look(&mut self, only: Option<usize>) -> Result<(), String> {
        for ws in (0..2).filter(|ws| only.is_none_or(|o| o == *ws)) {
            let seen = self
                .system
                .run(move |app| real::see(app, ws))
                .ok_or("a crash while looking")?;
            let first = shape(&self.worlds[0], ws);
            self.worlds.retain(|w| fits(w, ws, &seen));
            if self.worlds.is_empty() {
                let real = (&seen.audiences, &seen.ops);
                return Err(format!(
                    "workspace {ws}\n  seen      {real:?}\n  reference {first:?}"
                ));
            }
            self.seen[ws] = seen;
        }
        self.worlds.truncate(MOST_WORLDS);
        Ok(())
    }

    fn audience_id(&self, audience: usize) -> (usize, AudienceId) {
        let world = &self.worlds[0];
        let ws = world.audiences[audience].ws;
        let before = world.shown().into_iter().filter(|a| *a < audience);
        let place = before.filter(|a| world.audiences[*a].ws == ws).count();
        (ws, self.seen[ws].audience_ids[place])
    }

    fn op_id(&self, op: usize) -> (usize, OperationId) {
        let ops = &self.worlds[0].ops;
        let ws = ops[op].ws;
        (
            ws,
            self.seen[ws].op_ids[ops[..op].iter().filter(|o| o.ws == ws).count()],
        )
    }

    /// Runs a command for real; `None` when it crashed.
    fn execute(&mut self, command: &Command) -> Option<Vec<Answer>> {
        let ticket = self.system.ticket();
        let second = self.system.ticket();
        let system = &self.system;
        let one = |answer: Option<Answer>| answer.map(|a| vec![a]);
        match command.clone() {
            Command::Create { ws, items } => {
                one(system.run(move |app| real::create(app, ticket, ws, items)))
            }
            Command::Add { at, items } => {
                let (ws, id) = self.audience_id(at);
                one(system.run(move |app| real::add(app, ticket, ws, id, items)))
            }
            Command::Race { at, a, b } => {
                let (ws, id) = self.audience_id(at);
                system.run(move |app| async move {
                    let first = real::add(Arc::clone(&app), ticket, ws, id, a);
                    let (a, b) = tokio::join!(first, real::add(app, second, ws, id, b));
                    vec![a, b]
                })
            }
            Command::Upload { at, rows } => {
                let (ws, id) = self.audience_id(at);
                one(system.run(move |app| real::upload(app, ticket, ws, Some(id), rows)))
            }
            Command::UploadNew { ws, rows } => {
                one(system.run(move |app| real::upload(app, ticket, ws, None, rows)))
            }
            Command::Recycle {
                at,
                rules,
                to_new,
                dry_run,
            } => {
                let (ws, id) = self.audience_id(at);
                let other = |a: Option<usize>| a.map(|a| self.audience_id(a).1);
                let others = [other(rules.audience), other(rules.keep_audience)];
                one(system.run(move |app| {
                    real::recycle(app, ticket, ws, id, rules, others, to_new, dry_run)
                }))
            }
            Command::Work { pool } => one(system.run(move |app| work(app, pool))),
            Command::WorkWhileAdding { pool, at, items } => {
                let (ws, id) = self.audience_id(at);
                system.run(move |app| async move {
                    let adding = real::add(Arc::clone(&app), second, ws, id, items);
                    let (worked, added) = tokio::join!(work(app, pool), adding);
                    vec![worked, added]
                })
            }
            Command::OptOut { ws, docs } => {
                one(system.run(move |app| real::opt_out(app, ws, docs)))
            }
            Command::Age => {
                system.clock.pass(8 * 86_400);
                one(system.run(move |app| async move {
                    work_off(&app, Pool::Purge).await;
                    Answer::Done
                }))
            }
            other => self.execute_small(&other),
        }
    }

    fn execute_small(&mut self, command: &Command) -> Option<Vec<Answer>> {
        let ticket = self.system.ticket();
        let at = match command {
            Command::Undo { op } | Command::Cancel { op } | Command::Retry { op } => {
                return self.execute_on(command, *op);
            }
            Command::WalkOn => self.worlds[0].walk.as_ref()?.audience,
            Command::RemoveOne { at, .. }
            | Command::Duplicate { at }
            | Command::Clear { at }
            | Command::Drop { at }
            | Command::Restore { at }
            | Command::Walk { at, .. }
            | Command::Pages { at, .. }
            | Command::LookUp { at, .. } => *at,
            _ => return None,
        };
        let (ws, id) = self.audience_id(at);
        let (cursor, limit) = match command {
            Command::Walk { limit, .. } => (None, *limit),
            _ => (
                self.system.cursor.clone(),
                self.worlds[0].walk.as_ref().map_or(1, |w| w.limit),
            ),
        };
        let ops = self.seen[ws].op_ids.clone();
        let small = command.clone();
        let (answer, cursor) = self.system.run(move |app| async move {
            let by = actor(ws);
            let answer = match small {
                Command::RemoveOne { doc, .. } => {
                    real::plain(app.remove_contact(&by, id, &real::document(doc))).await
                }
                Command::Duplicate { .. } => {
                    real::plain(app.duplicate_audience(&by, ticket, id, Some(real::name(ticket))))
                        .await
                }
                Command::Clear { .. } => {
                    real::plain(app.clear_audience(&by, ticket, id, None)).await
                }
                Command::Drop { .. } => real::plain(app.drop_audience(&by, id, None, None)).await,
                Command::Restore { .. } => real::plain(app.restore_audience(&by, id, None)).await,
                Command::Pages { per_page, .. } => real::pages(app, ws, id, per_page).await,
                Command::LookUp { doc, .. } => real::look_up(app, ws, id, doc, ops).await,
                _ => {
                    let part = app.walk_contacts(&by, id, cursor, limit).await.unwrap();
                    return (real::page(&part.rows, part.next.is_some()), part.next);
                }
            };
            (answer, cursor)
        })?;
        self.system.cursor = cursor;
        Some(vec![answer])
    }

    fn execute_on(&self, command: &Command, op: usize) -> Option<Vec<Answer>> {
        let (ws, id) = self.op_id(op);
        let command = command.clone();
        let answer = self.system.run(move |app| async move {
            let by = actor(ws);
            match command {
                Command::Undo { .. } => real::plain(app.undo_operation(&by, id)).await,
                Command::Cancel { .. } => real::plain(app.cancel_operation(&by, id)).await,
                _ => real::plain(app.retry_operation(&by, id)).await,
            }
        });
        answer.map(|a| vec![a])
    }
}

async fn work(app: Arc<App>, pool: usize) -> Answer {
    let worked = app.work_once(real::pool(pool)).await.unwrap();
    Answer::Worked(worked == WorkOutcome::Worked)
}

fn resolve_rules(world: &World, at: usize, rules: &mut RuleSpec) {
    let shown = world.shown().into_iter();
    let ws = world.audiences[at].ws;
    let others: Vec<_> = shown
        .filter(|a| *a != at && world.audiences[*a].ws == ws)
        .collect();
    let pick = |n: usize| others.get(n % others.len().max(1)).copied();
    rules.audience = rules.audience.and_then(pick);
    rules.keep_audience = rules.keep_audience.and_then(pick);
    let none = rules.documents.is_empty() && rules.audience.is_none() && rules.named.is_none();
    if none && !rules.opted_out && rules.duplicates.is_none() {
        rules.documents.push(0);
    }
}

const fn pool_of(kind: &Kind) -> usize {
    match kind {
        Kind::Upload(_) | Kind::Create(_) | Kind::Duplicate { .. } => 0,
        Kind::Recycle { .. } | Kind::Clear { .. } => 1,
    }
}

/// Everything in which order a command may happen.
fn orderings(world: &World, command: &Command) -> Vec<Ordering> {
    match command {
        Command::Work { pool } => work_orderings(world, *pool),
        Command::Race { at, a, b } => {
            let (a, b) = (adding(world, 0, *at, a), adding(world, 1, *at, b));
            vec![[a.clone(), b.clone()].concat(), [b, a].concat()]
        }
        Command::WorkWhileAdding { pool, at, items } => {
            let add = adding(world, 1, *at, items);
            let beside = |work: Ordering| {
                let between = |place| [&work[..place], &add, &work[place..]].concat();
                (0..=work.len()).map(between).collect::<Vec<_>>()
            };
            let work = work_orderings(world, *pool);
            work.into_iter().flat_map(beside).collect()
        }
        Command::Add { at, items } => vec![adding(world, 0, *at, items)],
        Command::Create { ws, items } => {
            let (at, items) = (world.audiences.len(), items.clone());
            vec![vec![
                (0, Atom::Make(*ws)),
                (0, Atom::Do(Command::Add { at, items })),
            ]]
        }
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

fn work_orderings(world: &World, pool: usize) -> Vec<Ordering> {
    let live = |i: &usize| world.ops[*i].state.is_live() && pool_of(&world.ops[*i].kind) == pool;
    let of = |op: usize| {
        let mut steps = vec![(0, Atom::Claim(op))];
        if matches!(world.ops[op].kind, Kind::Upload(_) | Kind::Create(_)) {
            steps.push((0, Atom::Apply(op)));
        }
        steps.push((0, Atom::End(op)));
        steps
    };
    let all: Vec<_> = (0..world.ops.len()).filter(live).map(of).collect();
    if all.is_empty() {
        vec![vec![(0, Atom::Idle)]]
    } else {
        all
    }
}

/// The world after some steps, and the answers by who asked.
fn run(world: &World, steps: &[(usize, Atom)]) -> (World, Vec<Answer>) {
    let mut world = world.clone();
    let mut answers: Vec<(usize, Answer)> = Vec::new();
    for (who, atom) in steps {
        match atom {
            Atom::Do(command) => answers.push((*who, act(&mut world, command))),
            Atom::Make(ws) => {
                world.new_audience(*ws, Shown::Ready);
            }
            Atom::Ask(at) => {
                world.next_request(*at);
            }
            Atom::Claim(op) => world.ops[*op].state = State::Running,
            Atom::Apply(op) => world.apply_rows(*op),
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
                0,
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
            let step = world.step;
            world.opted_out[*ws].extend(docs.iter().map(|d| (*d, step)));
            Answer::Done
        }
        Command::Age => {
            world.age();
            Answer::Done
        }
        other => act_or_read(world, other),
    }
}

fn act_or_read(world: &mut World, command: &Command) -> Answer {
    match command {
        Command::Undo { op } => match world.undo(*op) {
            Ok(()) => Answer::Done,
            Err(code) => Answer::Refused(code.to_owned()),
        },
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
fn shape(world: &World, ws: usize) -> (Vec<SeenAudience>, Vec<SeenOp>) {
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
    let op = |o: &super::world::Op| SeenOp {
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

fn fits(world: &World, ws: usize, seen: &Seen) -> bool {
    let (audiences, ops) = shape(world, ws);
    let reference = world.ops.iter().filter(|o| o.ws == ws);
    let same = |((expected, seen), op): ((&SeenOp, &SeenOp), &super::world::Op)| {
        let ended = matches!(expected.state, State::Succeeded | State::Failed);
        let report = match (&expected.report, &seen.report) {
            (
                Some(Report::Upload {
                    received, rejected, ..
                }),
                Some(Report::Upload {
                    received: r,
                    rejected: j,
                    ..
                }),
            ) if op.loose => (received, rejected) == (r, j),
            (expected, seen) => !ended || expected == seen,
        };
        let head = |o: &SeenOp| (o.kind, o.state, o.undone, o.attempt);
        report && head(expected) == head(seen)
    };
    audiences == seen.audiences
        && ops.len() == seen.ops.len()
        && ops.iter().zip(&seen.ops).zip(reference).all(same)
}
