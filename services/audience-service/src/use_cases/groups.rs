//! Use cases that belong together.

use super::parts::{Parts, repair};
use crate::{
    audience::{AudienceUsages, ChangeAudience},
    contact::{
        read::{CutPages, ReadContacts},
        write::{AddContacts, RemoveContact, Repair},
    },
    creation::AbandonedCreations,
    customer::{ReadCustomers, RecordEvents, SyncImported, WriteCustomers},
    derive::DeriveAudiences,
    group::EditList,
    housekeeping::PurgeExpired,
    live::FollowChanges,
    operation::FindOperation,
    recipient::ResolveRecipients,
    recycle::{DocumentSets, DuplicateAudience, RecycleAudience},
    removal::{ClearAudience, UndoOperation, Withhold},
    segment::{PublishMembers, StartDueRefreshes},
    suppression::{Hashes, ReadSuppressions, WriteSuppressions},
    upload::{
        BringIn, Exclusions, FindUpload, ReceiveUpload, RejectedRows, SuppressFile, SweepFiles,
    },
};

/// Reading and writing contacts.
#[derive(Clone)]
pub struct Contacts {
    /// Reads them.
    pub read: ReadContacts,
    /// Adds some.
    pub add: AddContacts,
    /// Removes one.
    pub remove: RemoveContact,
}

/// Customers and what they did.
#[derive(Clone)]
pub struct Customers {
    /// Reads them.
    pub read: ReadCustomers,
    /// Writes them.
    pub write: WriteCustomers,
    /// Records what they did.
    pub events: RecordEvents,
    /// Takes in those of imports.
    pub sync: SyncImported,
}

/// Who is not to be written to.
#[derive(Clone)]
pub struct Suppressions {
    /// Reads them.
    pub read: ReadSuppressions,
    /// Adds and removes them.
    pub write: WriteSuppressions,
    /// Adds those of a file.
    pub file: SuppressFile,
}

/// Files.
#[derive(Clone)]
pub struct Uploads {
    /// Receives one.
    pub receive: ReceiveUpload,
    /// Finds one.
    pub find: FindUpload,
    /// Brings one into an audience.
    pub bring_in: BringIn,
    /// Hands out rejected rows.
    pub rejected: RejectedRows,
    /// Reads one for its documents.
    pub exclusions: Exclusions,
}

/// What nobody asks for and has to be done.
#[derive(Clone)]
pub struct Upkeep {
    /// Finishes interrupted writes.
    pub repair: Repair,
    /// Drops audiences whose making was cut off.
    pub abandoned: AbandonedCreations,
    /// Deletes rows that have served their time.
    pub expired: PurgeExpired,
    /// Deletes files that nothing needs.
    pub files: SweepFiles,
    /// Keeps live audiences.
    pub live: FollowChanges,
    /// Publishes who enters and leaves segments.
    pub member_events: PublishMembers,
    /// Starts refreshes whose time has come.
    pub refreshes: StartDueRefreshes,
}

impl Parts {
    pub(super) fn contacts(&self) -> Contacts {
        let p = &self.ports;
        Contacts {
            read: ReadContacts {
                find: self.find.clone(),
                queries: p.queries.clone(),
                contacts: p.contacts.clone(),
                clock: p.clock.clone(),
                cuts: CutPages {
                    queries: p.queries.clone(),
                    contacts: p.contacts.clone(),
                    pages: self.pages.clone(),
                    writer: self.writer.clone(),
                },
            },
            add: AddContacts {
                find: self.find.clone(),
                store: p.store.clone(),
                clock: p.clock.clone(),
                write: self.write.clone(),
            },
            remove: RemoveContact {
                find: self.find.clone(),
                queries: p.queries.clone(),
                writer: self.writer.clone(),
            },
        }
    }

    pub(super) fn customers(&self) -> Customers {
        let p = &self.ports;
        Customers {
            read: ReadCustomers {
                queries: self.ports.queries.clone(),
            },
            write: WriteCustomers {
                store: p.store.clone(),
                clock: p.clock.clone(),
            },
            events: RecordEvents {
                store: p.store.clone(),
                clock: p.clock.clone(),
                ids: p.ids.clone(),
                kept: self.ports.customer_events_kept,
            },
            sync: SyncImported {
                store: p.store.clone(),
                clock: p.clock.clone(),
            },
        }
    }

    pub(super) fn suppressions(&self) -> Suppressions {
        let p = &self.ports;
        let hashes = self.hashes();
        Suppressions {
            read: ReadSuppressions {
                queries: p.queries.clone(),
                hashes: hashes.clone(),
            },
            write: WriteSuppressions {
                store: p.store.clone(),
                hashes,
                clock: p.clock.clone(),
                ids: p.ids.clone(),
            },
            file: SuppressFile {
                uploads: self.uploads.clone(),
                clock: p.clock.clone(),
                accept: self.accept.clone(),
            },
        }
    }

    pub(super) fn hashes(&self) -> Hashes {
        Hashes {
            vault: self.ports.vault.clone(),
        }
    }

    pub(super) fn edit_list(&self) -> EditList {
        EditList {
            find: self.find.clone(),
            queries: self.ports.queries.clone(),
            clock: self.ports.clock.clone(),
            change: self.change(),
            write: self.write.clone(),
        }
    }

    pub(super) fn change(&self) -> ChangeAudience {
        ChangeAudience {
            store: self.ports.store.clone(),
            clock: self.ports.clock.clone(),
            events: self.events.clone(),
        }
    }

    pub(super) fn usages(&self) -> AudienceUsages {
        AudienceUsages {
            find: self.find.clone(),
            store: self.ports.store.clone(),
            queries: self.ports.queries.clone(),
            clock: self.ports.clock.clone(),
        }
    }

    pub(super) fn recipients(&self) -> ResolveRecipients {
        ResolveRecipients {
            store: self.ports.store.clone(),
            queries: self.ports.queries.clone(),
            contacts: self.ports.contacts.clone(),
            vault: self.ports.vault.clone(),
            refresh: self.refresh(),
            clock: self.ports.clock.clone(),
            events: self.events.clone(),
        }
    }

    pub(super) fn uploads(&self, operations: &FindOperation) -> Uploads {
        let p = &self.ports;
        let bring_in = BringIn {
            find: self.find.clone(),
            uploads: self.uploads.clone(),
            store: p.store.clone(),
            clock: p.clock.clone(),
            accept: self.accept.clone(),
            new: self.new.clone(),
        };
        Uploads {
            receive: ReceiveUpload {
                store: p.store.clone(),
                blobs: p.blobs.clone(),
                formats: p.formats.clone(),
                clock: p.clock.clone(),
                ids: p.ids.clone(),
                uploads: self.uploads.clone(),
            },
            find: self.uploads.clone(),
            rejected: RejectedRows {
                operations: operations.clone(),
                uploads: self.uploads.clone(),
                exclusions: self.exclusions.clone(),
                blobs: p.blobs.clone(),
                bring: bring_in.clone(),
            },
            bring_in,
            exclusions: self.exclusions.clone(),
        }
    }

    pub(super) fn sets(&self) -> DocumentSets {
        DocumentSets {
            spool: self.ports.spool.clone(),
            blobs: self.ports.blobs.clone(),
            exclusions: self.exclusions.clone(),
        }
    }

    pub(super) fn abandoned(&self) -> AbandonedCreations {
        AbandonedCreations {
            store: self.ports.store.clone(),
            accept: self.accept.clone(),
            purges: self.purges.clone(),
        }
    }

    pub(super) fn upkeep(&self) -> Upkeep {
        let p = &self.ports;
        Upkeep {
            repair: repair(&self.ports),
            abandoned: self.abandoned(),
            expired: PurgeExpired {
                store: p.store.clone(),
                clock: p.clock.clone(),
                kept: self.ports.customer_events_kept,
            },
            live: self.live(),
            member_events: self.publish_members(),
            files: SweepFiles {
                store: p.store.clone(),
                queries: p.queries.clone(),
                blobs: p.blobs.clone(),
                spool: p.spool.clone(),
            },
            refreshes: StartDueRefreshes {
                store: p.store.clone(),
                queries: p.queries.clone(),
                clock: p.clock.clone(),
                refresh: self.refresh(),
            },
        }
    }

    pub(super) fn undo(&self, operations: &FindOperation) -> UndoOperation {
        let p = &self.ports;
        UndoOperation {
            operations: operations.clone(),
            find: self.find.clone(),
            store: p.store.clone(),
            queries: p.queries.clone(),
            writer: self.writer.clone(),
            pages: self.pages.clone(),
            clock: p.clock.clone(),
            events: self.events.clone(),
            ends: self.ends.clone(),
            purges: self.purges.clone(),
            withhold: Withhold {
                store: p.store.clone(),
                queries: p.queries.clone(),
                contacts: p.contacts.clone(),
                purges: self.purges.clone(),
            },
        }
    }

    pub(super) fn clear(&self) -> ClearAudience {
        ClearAudience {
            find: self.find.clone(),
            store: self.ports.store.clone(),
            queries: self.ports.queries.clone(),
            clock: self.ports.clock.clone(),
            ids: self.ports.ids.clone(),
            events: self.events.clone(),
            accept: self.accept.clone(),
            ends: self.ends.clone(),
            purges: self.purges.clone(),
            release: self.release.clone(),
        }
    }

    pub(super) fn recycle(&self) -> RecycleAudience {
        RecycleAudience {
            find: self.find.clone(),
            queries: self.ports.queries.clone(),
            clock: self.ports.clock.clone(),
            ids: self.ports.ids.clone(),
            accept: self.accept.clone(),
            new: self.new.clone(),
            survey: self.survey.clone(),
            sets: self.sets(),
        }
    }

    pub(super) fn derive(&self) -> DeriveAudiences {
        DeriveAudiences {
            find: self.find.clone(),
            new: self.new.clone(),
            accept: self.accept.clone(),
            clock: self.ports.clock.clone(),
        }
    }

    pub(super) fn duplicate(&self) -> DuplicateAudience {
        DuplicateAudience {
            find: self.find.clone(),
            new: self.new.clone(),
            accept: self.accept.clone(),
            clock: self.ports.clock.clone(),
        }
    }
}
