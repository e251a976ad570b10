//! What must be there after the acknowledged commands, and what each of them had to answer.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, creates};
use crate::history::{Command, Contact, Effect};

/// What an audience must be.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub workspace: String,
    pub dropped: bool,
    /// Documents with the names that may be there: with several writers, the last of each.
    pub contacts: BTreeMap<String, BTreeSet<String>>,
}

/// Expected contacts, with who wrote what.
#[derive(Default)]
struct Content {
    workspace: String,
    dropped: bool,
    /// By document and writer, the last name.
    contacts: BTreeMap<String, BTreeMap<String, String>>,
    /// What the last removal took out.
    removed: BTreeMap<String, BTreeMap<String, String>>,
    writers: BTreeSet<String>,
    /// New contacts claimed by all writers.
    claimed: u64,
    claims: bool,
    /// Some of them by a repetition, which does not know what it was the first to write.
    repeated: bool,
}

/// Plays the commands of every audience in the order in which they were acknowledged.
pub fn replay(commands: &[Command], findings: &mut Findings) -> BTreeMap<String, Expected> {
    let mut contents: BTreeMap<String, Content> = BTreeMap::new();
    let (made, rest): (Vec<_>, Vec<_>) = commands.iter().partition(|c| creates(c));
    // A reader of the list may write into an audience before its maker has heard that it is there.
    for command in made.into_iter().chain(rest) {
        if creates(command) && contents.contains_key(&command.audience) {
            findings.add("I2", format!("{} was created twice", command.audience));
        }
        if let Effect::CopyWithout { to, documents } = &command.effect {
            let source = contents.entry(command.audience.clone()).or_default();
            let copy = source.copy_without(documents);
            let removed = (source.contacts.len() - copy.contacts.len()) as u64;
            claimed(command, command.claim.changed, removed, "removed", findings);
            contents.insert(to.clone(), copy);
            continue;
        }
        let content = contents.entry(command.audience.clone()).or_default();
        content.play(command, findings);
    }
    for (id, content) in &contents {
        let is_shared = content.writers.len() > 1;
        let there = content.contacts.len() as u64;
        let wrong = if content.repeated {
            content.claimed > there
        } else {
            content.claimed != there
        };
        if is_shared && content.claims && wrong {
            let claimed = content.claimed;
            findings.add(
                "I2",
                format!("{id}: answers claim {claimed} new contacts of {there}"),
            );
        }
    }
    let expected = |(id, content): (String, Content)| (id, content.expected());
    contents.into_iter().map(expected).collect()
}

fn claimed(
    command: &Command,
    claim: Option<u64>,
    expected: u64,
    what: &str,
    findings: &mut Findings,
) {
    if let Some(claim) = claim.filter(|claim| *claim != expected) {
        let id = &command.audience;
        findings.add(
            "I2",
            format!("{id}: an answer says {claim} {what}, not {expected}"),
        );
    }
}

impl Content {
    fn play(&mut self, command: &Command, findings: &mut Findings) {
        match &command.effect {
            Effect::Create {
                workspace,
                contacts,
            } => {
                self.workspace.clone_from(workspace);
                self.write(command, contacts, findings);
            }
            Effect::Write { contacts } => self.write(command, contacts, findings),
            Effect::Remove { documents } => {
                self.removed.clear();
                for document in documents {
                    self.removed.extend(self.contacts.remove_entry(document));
                }
                let removed = self.removed.len() as u64;
                claimed(command, command.claim.changed, removed, "removed", findings);
            }
            Effect::Clear => self.removed = std::mem::take(&mut self.contacts),
            Effect::Undo => self.contacts.append(&mut self.removed),
            Effect::Drop => self.dropped = true,
            Effect::Restore => self.dropped = false,
            // Played by the caller, who has both audiences.
            Effect::CopyWithout { .. } => {}
        }
    }

    fn write(&mut self, command: &Command, contacts: &[Contact], findings: &mut Findings) {
        let mut new = 0;
        for (document, name) in contacts {
            let names = self.contacts.entry(document.clone()).or_default();
            new += u64::from(names.is_empty());
            names.insert(command.writer.clone(), name.clone());
        }
        if let Some(claim) = command.claim.changed {
            self.claims = true;
            self.claimed += claim;
            self.repeated |= command.claim.repeated;
        }
        self.writers.insert(command.writer.clone());
        // Between several writers only the sum is known.
        if self.writers.len() == 1 {
            claimed(command, command.claim.changed, new, "new", findings);
            let replaced = contacts.len() as u64 - new;
            claimed(
                command,
                command.claim.replaced,
                replaced,
                "replaced",
                findings,
            );
        }
    }

    fn copy_without(&self, documents: &[String]) -> Self {
        let mut contacts = self.contacts.clone();
        documents
            .iter()
            .for_each(|document| drop(contacts.remove(document)));
        Self {
            workspace: self.workspace.clone(),
            contacts,
            ..Self::default()
        }
    }

    fn expected(self) -> Expected {
        let names = |(document, by_writer): (String, BTreeMap<String, String>)| {
            (document, by_writer.into_values().collect())
        };
        Expected {
            workspace: self.workspace,
            dropped: self.dropped,
            contacts: self.contacts.into_iter().map(names).collect(),
        }
    }
}
