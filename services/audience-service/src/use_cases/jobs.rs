//! The jobs of the service.

use std::sync::Arc;

use operations::Jobs;

use super::parts::Parts;
use crate::{
    control::EndUnfinished,
    derive::RunDerive,
    recycle::{CopyContacts, RunDuplicate, RunRecycle},
    removal::RunPurge,
    score::RunScore,
    segment::{RunPreview, RunRefresh},
    upload::{ApplyRows, ReadFile, RunSuppress, RunUpload},
};

impl Parts {
    pub(super) fn jobs(&self) -> Jobs {
        let ends = EndUnfinished {
            store: self.ports.store.clone(),
            release: self.release.clone(),
            ends: self.ends.clone(),
        };
        let copy = CopyContacts {
            survey: self.survey.clone(),
            find: self.find.clone(),
            store: self.ports.store.clone(),
            clock: self.ports.clock.clone(),
            write: self.write.clone(),
            visibility: self.visibility.clone(),
            events: self.events.clone(),
            ends: self.ends.clone(),
            warm: self.warm.clone(),
        };
        Jobs::new(Arc::new(ends))
            .with(self.run_upload())
            .with(self.run_recycle(copy.clone()))
            .with(RunDuplicate(copy))
            .with(self.run_derive())
            .with(self.run_purge())
            .with(self.run_refresh())
            .with(self.run_score())
            .with(self.run_suppress())
            .with(RunPreview {
                preview: self.preview(),
                ends: self.ends.clone(),
            })
    }

    pub(super) fn run_upload(&self) -> RunUpload {
        let p = &self.ports;
        RunUpload {
            read: ReadFile {
                blobs: p.blobs.clone(),
                spool: p.spool.clone(),
                formats: p.formats.clone(),
            },
            apply: ApplyRows {
                queries: p.queries.clone(),
                contacts: p.contacts.clone(),
                spool: p.spool.clone(),
                write: self.write.clone(),
                step: p.steps.written,
            },
            find: self.find.clone(),
            store: p.store.clone(),
            spool: p.spool.clone(),
            clock: p.clock.clone(),
            visibility: self.visibility.clone(),
            events: self.events.clone(),
            ends: self.ends.clone(),
            warm: self.warm.clone(),
        }
    }

    pub(super) fn run_recycle(&self, copy: CopyContacts) -> RunRecycle {
        RunRecycle {
            survey: self.survey.clone(),
            sets: self.sets(),
            copy,
            find: self.find.clone(),
            store: self.ports.store.clone(),
            writer: self.writer.clone(),
            pages: self.pages.clone(),
            clock: self.ports.clock.clone(),
            events: self.events.clone(),
            ends: self.ends.clone(),
            purges: self.purges.clone(),
        }
    }

    pub(super) fn run_derive(&self) -> RunDerive {
        RunDerive {
            find: self.find.clone(),
            store: self.ports.store.clone(),
            contacts: self.ports.contacts.clone(),
            clock: self.ports.clock.clone(),
            write: self.write.clone(),
            visibility: self.visibility.clone(),
            ends: self.ends.clone(),
            warm: self.warm.clone(),
            step: self.ports.steps.judged,
        }
    }

    pub(super) fn run_score(&self) -> RunScore {
        RunScore {
            store: self.ports.store.clone(),
            clock: self.ports.clock.clone(),
            ends: self.ends.clone(),
        }
    }

    pub(super) fn run_suppress(&self) -> RunSuppress {
        let p = &self.ports;
        RunSuppress {
            blobs: p.blobs.clone(),
            formats: p.formats.clone(),
            store: p.store.clone(),
            hashes: self.hashes(),
            ids: p.ids.clone(),
            ends: self.ends.clone(),
        }
    }

    pub(super) fn run_refresh(&self) -> RunRefresh {
        let p = &self.ports;
        RunRefresh {
            find: self.find.clone(),
            read: self.read_conditions(),
            resolver: self.resolver(),
            store: p.store.clone(),
            queries: p.queries.clone(),
            contacts: p.contacts.clone(),
            writer: self.writer.clone(),
            clock: p.clock.clone(),
            ids: p.ids.clone(),
            events: self.events.clone(),
            ends: self.ends.clone(),
            purges: self.purges.clone(),
            warm: self.warm.clone(),
            guard: p.guard,
            corrections: self.corrections.clone(),
        }
    }

    pub(super) fn run_purge(&self) -> RunPurge {
        let p = &self.ports;
        RunPurge {
            store: p.store.clone(),
            queries: p.queries.clone(),
            contacts: p.contacts.clone(),
            writer: self.writer.clone(),
            ends: self.ends.clone(),
            step: p.steps.purged,
        }
    }
}
