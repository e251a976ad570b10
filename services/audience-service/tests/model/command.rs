//! Commands, and random histories of them.

use super::world::{Doc, Values};

/// Documents of the keyspace.
pub const DOCS: u8 = 10;

/// One item of a request, or one row of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Good(Doc, Values),
    /// It has no document.
    Bad,
}

impl Item {
    pub fn good(self) -> Option<(Doc, Values)> {
        match self {
            Self::Good(doc, values) => Some((doc, values)),
            Self::Bad => None,
        }
    }
}

/// Rules of a recycling. Audiences are indexes into the world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleSpec {
    pub documents: Vec<Doc>,
    pub audience: Option<usize>,
    pub named: Option<u8>,
    pub opted_out: bool,
    /// `true`: the latest stays.
    pub duplicates: Option<bool>,
    pub keep: Vec<Doc>,
    pub keep_audience: Option<usize>,
}

impl RuleSpec {
    /// Whether the verdict rests on the contact and the request alone, so that it is the same before
    /// and after an interruption.
    pub fn is_timeless(&self) -> bool {
        self.audience.is_none()
            && !self.opted_out
            && self.duplicates.is_none()
            && self.keep_audience.is_none()
    }
}

/// What a history is made of. `at` picks an audience, `op` an operation, both modulo what there is.
#[derive(Debug, Clone)]
pub enum Command {
    Create {
        ws: usize,
        items: Vec<Item>,
    },
    Add {
        at: usize,
        items: Vec<Item>,
    },
    Race {
        at: usize,
        a: Vec<Item>,
        b: Vec<Item>,
    },
    RemoveOne {
        at: usize,
        doc: Doc,
    },
    Upload {
        at: usize,
        rows: Vec<Item>,
    },
    UploadNew {
        ws: usize,
        rows: Vec<Item>,
    },
    Recycle {
        at: usize,
        rules: RuleSpec,
        to_new: bool,
        dry_run: bool,
    },
    Duplicate {
        at: usize,
    },
    Work {
        pool: usize,
    },
    WorkWhileAdding {
        pool: usize,
        at: usize,
        items: Vec<Item>,
    },
    Cancel {
        op: usize,
    },
    Retry {
        op: usize,
    },
    Undo {
        op: usize,
    },
    Clear {
        at: usize,
    },
    Drop {
        at: usize,
    },
    Restore {
        at: usize,
    },
    OptOut {
        ws: usize,
        docs: Vec<Doc>,
    },
    Walk {
        at: usize,
        limit: usize,
    },
    WalkOn,
    Pages {
        at: usize,
        per_page: usize,
    },
    LookUp {
        at: usize,
        doc: Doc,
    },
    Age,
    /// Works, and cancels what runs at the so-manieth crash point that the work reaches.
    Interrupt {
        pool: usize,
        points: u32,
    },
    /// Works off what was planned to be deleted and is due.
    Purge,
    WorkWhileRemoving {
        pool: usize,
        at: usize,
        doc: Doc,
    },
    /// Ends the process at the so-manieth crash point that the command reaches.
    Crash {
        points: u32,
        command: Box<Command>,
    },
    /// Ends the process so long after the command began.
    Kill {
        micros: u64,
        command: Box<Command>,
    },
    Restart,
}

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn small(&mut self, n: u8) -> u8 {
        self.below(u64::from(n)) as u8
    }

    fn pick(&mut self) -> usize {
        self.below(60) as usize
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn docs(&mut self, most: u64) -> Vec<Doc> {
        (0..self.below(most + 1))
            .map(|_| self.small(DOCS))
            .collect()
    }

    fn items(&mut self) -> Vec<Item> {
        let count = 1 + self.below(6);
        (0..count).map(|_| self.item()).collect()
    }

    fn item(&mut self) -> Item {
        if self.one_in(10) {
            return Item::Bad;
        }
        let values = Values {
            name: self.small(3),
            phone: self.small(6),
        };
        Item::Good(self.small(DOCS), values)
    }

    fn rules(&mut self) -> RuleSpec {
        let mut rules = RuleSpec {
            documents: self.docs(4),
            ..RuleSpec::default()
        };
        match self.below(8) {
            0 => rules.audience = Some(self.pick()),
            1 | 2 => rules.named = Some(self.small(3)),
            3 => rules.opted_out = true,
            4 => rules.duplicates = Some(self.one_in(2)),
            _ => {}
        }
        match self.below(6) {
            0 => rules.keep = self.docs(3),
            1 => rules.keep_audience = Some(self.pick()),
            _ => {}
        }
        if rules.documents.is_empty() && rules.audience.is_none() {
            rules.documents.push(self.small(DOCS));
        }
        rules
    }

    fn command(&mut self) -> Command {
        let (at, op, ws) = (self.pick(), self.pick(), self.below(2) as usize);
        match self.below(100) {
            0..4 => Command::Create {
                ws,
                items: self.items(),
            },
            4..18 => Command::Add {
                at,
                items: self.items(),
            },
            18..24 => Command::Race {
                at,
                a: self.items(),
                b: self.items(),
            },
            24..30 => Command::RemoveOne {
                at,
                doc: self.small(DOCS),
            },
            30..35 => Command::Upload {
                at,
                rows: self.items(),
            },
            35..37 => Command::UploadNew {
                ws,
                rows: self.items(),
            },
            37..50 => {
                let (to_new, dry_run) = (self.one_in(6), self.one_in(4));
                Command::Recycle {
                    at,
                    rules: self.rules(),
                    to_new,
                    dry_run,
                }
            }
            50..52 => Command::Duplicate { at },
            52..62 => Command::Work {
                pool: self.below(2) as usize,
            },
            62..64 => Command::WorkWhileRemoving {
                pool: self.below(2) as usize,
                at,
                doc: self.small(DOCS),
            },
            64..70 => {
                let pool = self.below(2) as usize;
                Command::WorkWhileAdding {
                    pool,
                    at,
                    items: self.items(),
                }
            }
            70..72 => Command::Cancel { op },
            72..75 => Command::Retry { op },
            75..83 => Command::Undo { op },
            83..87 => Command::Clear { at },
            87 => Command::Drop { at },
            88 => Command::Restore { at },
            89..91 => Command::OptOut {
                ws,
                docs: self.docs(3),
            },
            other => self.look(other, at),
        }
    }

    /// A command that reads, or has time go by.
    fn look(&mut self, which: u64, at: usize) -> Command {
        match which {
            ..92 => Command::Walk {
                at,
                limit: 1 + self.below(3) as usize,
            },
            92..94 => Command::WalkOn,
            94..96 => Command::Pages {
                at,
                per_page: 1 + self.below(4) as usize,
            },
            96..98 => Command::LookUp {
                at,
                doc: self.small(DOCS),
            },
            98 => Command::Restart,
            _ if self.one_in(3) => Command::Age,
            _ => Command::WalkOn,
        }
    }

    /// Work that is cancelled on its way and tried again, with what it left deleted in between or not.
    fn interrupted(&mut self, commands: &mut Vec<Command>) {
        let (pool, points) = (self.below(2) as usize, 1 + self.below(8) as u32);
        commands.push(Command::Interrupt { pool, points });
        if self.one_in(3) {
            commands.push(self.command());
        }
        if self.one_in(2) {
            commands.push(Command::Purge);
        }
        if !self.one_in(4) {
            let op = self.pick();
            commands.push(Command::Retry { op });
        }
    }

    /// Has the process end in some commands: at a crash point, or anywhere.
    fn ended(&mut self, command: Command) -> Command {
        match self.below(16) {
            0..4 => Command::Crash {
                points: 1 + self.below(6) as u32,
                command: Box::new(command),
            },
            4 => {
                // From less than any store needs to more than most commands take.
                let most = 1 << (6 + self.below(10));
                Command::Kill {
                    micros: self.below(most),
                    command: Box::new(command),
                }
            }
            _ => command,
        }
    }

    /// A history of commands. It begins with something to work on.
    pub fn history(&mut self) -> Vec<Command> {
        let mut commands = vec![Command::Create {
            ws: 0,
            items: self.items(),
        }];
        for _ in 0..14 + self.below(16) {
            if self.one_in(12) {
                self.interrupted(&mut commands);
            }
            let command = self.command();
            commands.push(self.ended(command));
        }
        commands
    }
}
