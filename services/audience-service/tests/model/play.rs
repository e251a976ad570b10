//! Plays a history on the real thing and on the reference. Where more than one outcome is allowed (two
//! requests at once, a crash), the reference follows all of them and keeps those that fit what is seen.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use audience_service::control::Pool;
use domain::shared::{AudienceId, OperationId};

use super::{
    backend::Backend,
    command::{Command, RuleSpec},
    cut_off::cut_off,
    outcomes::{fits, is_cut_off, orderings, pool_of, run, shape},
    real::{self, Answer},
    seen::{Seen, see},
    system::{System, actor, work_off},
    world::{Kind, Op, World},
};

/// When more worlds than this look the same, a history ends: none of them may be given up.
const MOST_WORLDS: usize = 500;

/// Commands that were performed, over all histories of this process.
pub static PERFORMED: AtomicU64 = AtomicU64::new(0);

struct Player {
    system: System,
    worlds: Vec<World>,
    seen: [Seen; 2],
}

/// Plays a history. The error says where it went another way than the reference.
pub fn play(backend: &Backend, history: &[Command]) -> Result<(), String> {
    let system = System::on(backend);
    let mut player = Player {
        system,
        worlds: vec![World::default()],
        seen: Default::default(),
    };
    for (number, command) in history.iter().enumerate() {
        if player.worlds.len() > MOST_WORLDS {
            break;
        }
        player
            .command(command)
            .map_err(|e| format!("command {number}, {command:?}: {e}"))?;
    }
    player.finish().map_err(|e| format!("at the end: {e}"))
}

impl Player {
    fn command(&mut self, command: &Command) -> Result<(), String> {
        self.system.clock.pass(6);
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
            Command::Kill { micros, command } => {
                if let Some(command) = self.resolve(command) {
                    self.system.end_after(Duration::from_micros(*micros));
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
        self.settle(0, |_| true)?;
        self.settle(1, |_| true)?;
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

    /// Works until the pool has no operation like this any more.
    fn settle(&mut self, pool: usize, wanted: fn(&Op) -> bool) -> Result<(), String> {
        let left = |o: &Op| o.state.is_live() && pool_of(&o.kind) == pool && wanted(o);
        while self.worlds[0].ops.iter().any(left) {
            self.system.clock.pass(6);
            self.perform(&Command::Work { pool })?;
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
            | Command::WorkWhileAdding { at, .. }
            | Command::WorkWhileRemoving { at, .. } => {
                *at = *shown.get(*at % shown.len().max(1))?
            }
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
        // What a copy had read before it was stopped, and what it reads afterwards, may be of two states.
        let half_a_copy = |op: &usize| world.ops[*op].stopped && world.ops[*op].copies();
        match &command {
            Command::Retry { op } if half_a_copy(op) => None,
            Command::WorkWhileAdding { pool, .. } | Command::WorkWhileRemoving { pool, .. }
                if self.competes(*pool) =>
            {
                Some(Command::Work { pool: *pool })
            }
            _ => Some(command),
        }
    }

    /// Whether a live operation of the pool reads in several steps: what a copy or a look for duplicates
    /// finds beside a write is neither as before it nor as after it.
    fn competes(&self, pool: usize) -> bool {
        let in_steps = |k: &Kind| match k {
            Kind::Recycle { rules, target } => rules.duplicates.is_some() || target.is_some(),
            Kind::Duplicate { .. } => true,
            _ => false,
        };
        let live = self.worlds[0].ops.iter().filter(|o| o.state.is_live());
        live.filter(|o| pool_of(&o.kind) == pool)
            .any(|o| in_steps(&o.kind))
    }

    fn perform(&mut self, command: &Command) -> Result<(), String> {
        PERFORMED.fetch_add(1, Ordering::Relaxed);
        let answers = self.execute(command);
        let Some(answers) = answers else {
            self.pick_up(command)?;
            self.settle(0, is_cut_off)?;
            return self.settle(1, is_cut_off);
        };
        let mut next = Vec::new();
        for world in &self.worlds {
            let orderings = orderings(world, command);
            let whole = orderings.iter().map(|ordering| run(world, ordering));
            let fitting = whole.filter(|(_, expected)| answers == *expected);
            next.extend(fitting.map(|(after, _)| after));
        }
        if next.is_empty() {
            let (_, expected) = orderings(&self.worlds[0], command)
                .first()
                .map(|o| run(&self.worlds[0], o))
                .unwrap_or_default();
            return Err(format!("answered {answers:?}, expected {expected:?}"));
        }
        self.worlds = next;
        self.look(self.touches(command))
    }

    /// Starts again after a process that ended in a command, and finds out how far it came.
    fn pick_up(&mut self, command: &Command) -> Result<(), String> {
        self.system.restart();
        let seen = [self.see(0)?, self.see(1)?];
        let in_parts = self.system.writes_in_parts();
        let (mut next, mut known) = (Vec::new(), HashSet::new());
        for world in &self.worlds {
            cut_off(world, &orderings(world, command), in_parts, &mut |world| {
                let is_seen = fits(&world, 0, &seen[0]) && fits(&world, 1, &seen[1]);
                if is_seen && known.insert(format!("{world:?}")) {
                    next.push(world);
                }
            });
        }
        if next.is_empty() {
            return Err(seen
                .iter()
                .enumerate()
                .map(|(ws, seen)| self.differs(ws, seen))
                .collect());
        }
        (self.worlds, self.seen) = (next, seen);
        Ok(())
    }

    /// The workspace that a command touches, if it is only one.
    fn touches(&self, command: &Command) -> Option<usize> {
        let world = &self.worlds[0];
        match command {
            Command::Create { ws, .. }
            | Command::UploadNew { ws, .. }
            | Command::OptOut { ws, .. } => Some(*ws),
            Command::Undo { op } | Command::Retry { op } | Command::Cancel { op } => {
                Some(world.ops[*op].ws)
            }
            Command::Add { at, .. }
            | Command::Race { at, .. }
            | Command::RemoveOne { at, .. }
            | Command::Upload { at, .. }
            | Command::Recycle { at, .. }
            | Command::Duplicate { at }
            | Command::Clear { at }
            | Command::Drop { at }
            | Command::Restore { at }
            | Command::Walk { at, .. }
            | Command::Pages { at, .. }
            | Command::LookUp { at, .. } => Some(world.audiences[*at].ws),
            _ => None,
        }
    }

    /// Looks at everything, and keeps the worlds that look the same.
    fn look(&mut self, only: Option<usize>) -> Result<(), String> {
        for ws in (0..2).filter(|ws| only.is_none_or(|o| o == *ws)) {
            let seen = self.see(ws)?;
            let differs = self.differs(ws, &seen);
            self.worlds.retain(|w| fits(w, ws, &seen));
            if self.worlds.is_empty() {
                return Err(differs);
            }
            self.seen[ws] = seen;
        }
        Ok(())
    }

    fn see(&self, ws: usize) -> Result<Seen, String> {
        let workspace = self.system.workspace(ws);
        let seen = self.system.run(move |app| see(app, workspace));
        seen.ok_or_else(|| "a crash while looking".to_owned())
    }

    fn differs(&self, ws: usize, seen: &Seen) -> String {
        let expected = shape(&self.worlds[0], ws);
        let real = (&seen.audiences, &seen.ops);
        format!("workspace {ws}\n  seen      {real:?}\n  reference {expected:?}\n")
    }

    /// The workspace in the stores, and the audience.
    fn audience_id(&self, audience: usize) -> (usize, AudienceId) {
        let world = &self.worlds[0];
        let ws = world.audiences[audience].ws;
        let before = world.shown().into_iter().filter(|a| *a < audience);
        let place = before.filter(|a| world.audiences[*a].ws == ws).count();
        (self.system.workspace(ws), self.seen[ws].audience_ids[place])
    }

    fn op_id(&self, op: usize) -> (usize, OperationId) {
        let ops = &self.worlds[0].ops;
        let ws = ops[op].ws;
        (
            self.system.workspace(ws),
            self.seen[ws].op_ids[ops[..op].iter().filter(|o| o.ws == ws).count()],
        )
    }

    /// Runs a command for real; `None` when it crashed.
    fn execute(&mut self, command: &Command) -> Option<Vec<Answer>> {
        let system = &self.system;
        let [request_id, second] = [system.request_id(), system.request_id()];
        let one = |answer: Option<Answer>| answer.map(|a| vec![a]);
        match command.clone() {
            Command::Create { ws, items } => {
                let ws = system.workspace(ws);
                one(system.run(move |app| real::create(app, request_id, ws, items)))
            }
            Command::Add { at, items } => {
                let (ws, id) = self.audience_id(at);
                one(system.run(move |app| real::add(app, request_id, ws, id, items)))
            }
            Command::Race { at, a, b } => {
                let (ws, id) = self.audience_id(at);
                system.run(move |app| async move {
                    let first = real::add(Arc::clone(&app), request_id, ws, id, a);
                    let (a, b) = tokio::join!(first, real::add(app, second, ws, id, b));
                    vec![a, b]
                })
            }
            Command::Upload { at, rows } => {
                let (ws, id) = self.audience_id(at);
                one(system.run(move |app| real::upload(app, request_id, ws, Some(id), rows)))
            }
            Command::UploadNew { ws, rows } => {
                let ws = system.workspace(ws);
                one(system.run(move |app| real::upload(app, request_id, ws, None, rows)))
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
                    real::recycle(app, request_id, ws, id, rules, others, to_new, dry_run)
                }))
            }
            Command::Work { pool } => one(system.run(move |app| real::work(app, pool))),
            Command::Interrupt { pool, points } => {
                system.arm_cancel(points);
                one(system.run(move |app| real::work(app, pool)))
            }
            Command::WorkWhileRemoving { pool, at, doc } => {
                let (ws, id) = self.audience_id(at);
                system.run(move |app| async move {
                    let other = Arc::clone(&app);
                    let removing = async move { real::remove_one(other, ws, id, doc).await };
                    let (worked, removed) = tokio::join!(real::work(app, pool), removing);
                    vec![worked, removed]
                })
            }
            Command::WorkWhileAdding { pool, at, items } => {
                let (ws, id) = self.audience_id(at);
                system.run(move |app| async move {
                    let adding = real::add(Arc::clone(&app), second, ws, id, items);
                    let (worked, added) = tokio::join!(real::work(app, pool), adding);
                    vec![worked, added]
                })
            }
            Command::OptOut { ws, docs } => {
                let ws = system.workspace(ws);
                one(system.run(move |app| real::opt_out(app, ws, docs)))
            }
            Command::Purge | Command::Age => {
                if matches!(command, Command::Age) {
                    system.clock.pass(8 * 86_400);
                }
                one(system.run(move |app| async move {
                    work_off(&app, Pool::Purge).await;
                    Answer::Done
                }))
            }
            other => self.execute_small(&other),
        }
    }

    fn execute_small(&mut self, command: &Command) -> Option<Vec<Answer>> {
        let request_id = self.system.request_id();
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
        let ops = self.seen[self.worlds[0].audiences[at].ws].op_ids.clone();
        let small = command.clone();
        let (answer, cursor) = self.system.run(move |app| async move {
            let by = actor(ws);
            let answer = match small {
                Command::RemoveOne { doc, .. } => real::remove_one(app, ws, id, doc).await,
                Command::Duplicate { .. } => {
                    real::plain(app.duplicate.execute(
                        &by,
                        request_id,
                        id,
                        Some(real::name(request_id)),
                    ))
                    .await
                }
                Command::Clear { .. } => {
                    real::plain(app.clear.execute(&by, request_id, id, None)).await
                }
                Command::Drop { .. } => real::plain(app.change.drop(&by, id, None, None)).await,
                Command::Restore { .. } => real::plain(app.change.restore(&by, id, None)).await,
                Command::Pages { per_page, .. } => real::pages(app, ws, id, per_page).await,
                Command::LookUp { doc, .. } => real::look_up(app, ws, id, doc, ops).await,
                _ => {
                    let part = app
                        .contacts
                        .read
                        .walk(&by, id, cursor, limit)
                        .await
                        .unwrap();
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
        let request_id = self.system.request_id();
        let command = command.clone();
        let answer = self.system.run(move |app| async move {
            let by = actor(ws);
            match command {
                Command::Undo { .. } => real::plain(app.operations.undo.execute(&by, id)).await,
                Command::Cancel { .. } => {
                    real::plain(app.operations.cancel(&by, request_id, id)).await
                }
                _ => real::plain(app.operations.retry(&by, request_id, id)).await,
            }
        });
        answer.map(|a| vec![a])
    }
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
