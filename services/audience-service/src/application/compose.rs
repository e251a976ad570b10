//! Puts the use cases on their ports.

use std::sync::Arc;

use chrono::TimeDelta;
use operations::{Frame, Jobs};
use ports::{
    Clock, IdGenerator,
    contacts::ContactStore,
    files::{BlobStore, RecordFormats, Spool},
    store::{AudienceQueries, AudienceStore},
};
use tokio_util::sync::CancellationToken;

use super::{
    Wake,
    audience::{AudienceVisibility, ChangeAudience, FindAudience, NewAudiences},
    contact::{
        pages::{PageIndexes, WarmPages},
        read::{CutPages, ReadContacts},
        write::{AddContacts, RemoveContact, Repair, WriteContacts, Writer},
    },
    control::{EndUnfinished, Operations},
    creation::{AbandonedCreations, CreateAudience},
    customer::{ReadCustomers, RecordEvents, SyncImported, WriteCustomers},
    events::Events,
    housekeeping::PurgeExpired,
    notification::Notifications,
    operation::{AcceptOperation, EndOperation, FindOperation, PlanPurge, ReleaseHeld},
    outcome::Outcomes,
    recycle::{
        CopyContacts, DocumentSets, DuplicateAudience, RecycleAudience, RunDuplicate, RunRecycle,
        Surveyor, Walk,
    },
    redrive::KeepRedriving,
    removal::{ClearAudience, RunPurge, UndoOperation, Withhold},
    upload::{
        ApplyRows, BringIn, Exclusions, FindUpload, ReadFile, ReceiveUpload, RejectedRows,
        RunUpload, SweepFiles,
    },
};

/// Rows that long work takes in one step, each with a checkpoint of its own.
#[derive(Debug, Clone, Copy)]
pub struct StepSizes {
    /// Contacts that a removal or a copy judges.
    pub judged: usize,
    /// Documents that an upload writes.
    pub written: usize,
    /// Rows that a purge deletes.
    pub purged: usize,
}

impl Default for StepSizes {
    fn default() -> Self {
        Self {
            judged: 4_000,
            written: 4_000,
            purged: 2_000,
        }
    }
}

/// What the use cases need from outside. Each takes what it uses of it.
#[derive(Clone)]
pub struct Ports {
    /// Units of work.
    pub store: Arc<dyn AudienceStore>,
    /// Reads outside a transaction.
    pub queries: Arc<dyn AudienceQueries>,
    /// Contacts.
    pub contacts: Arc<dyn ContactStore>,
    /// Uploaded files, lists of documents, rejected rows.
    pub blobs: Arc<dyn BlobStore>,
    /// Sorted scratch files.
    pub spool: Arc<dyn Spool>,
    /// Readers of CSV, NDJSON and XLSX.
    pub formats: Arc<dyn RecordFormats>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// How much long work does at a time.
    pub steps: StepSizes,
    /// How long events of customers are kept.
    pub customer_events_kept: TimeDelta,
    /// Name of this process in leases; new with every start.
    pub owner: String,
}

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
}

/// The use cases of the service.
pub struct UseCases {
    /// Finds audiences.
    pub find: FindAudience,
    /// Changes them.
    pub change: ChangeAudience,
    /// Creates them.
    pub create: CreateAudience,
    /// Empties them.
    pub clear: ClearAudience,
    /// Copies them.
    pub duplicate: DuplicateAudience,
    /// Removes people by rules.
    pub recycle: RecycleAudience,
    /// Contacts.
    pub contacts: Contacts,
    /// Files.
    pub uploads: Uploads,
    /// Customers.
    pub customers: Customers,
    /// Reported outcomes.
    pub outcomes: Outcomes,
    /// Notifications.
    pub notifications: Notifications,
    /// Dead letters that are sent again.
    pub redriving: KeepRedriving,
    /// Long work.
    pub operations: Arc<Operations>,
    /// What nobody asks for.
    pub upkeep: Upkeep,
    /// Identifiers of requests.
    pub ids: Arc<dyn IdGenerator>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Signals between requests, workers and streams of this process.
    pub wake: Wake,
    stopping: CancellationToken,
}

/// Use cases that others are made of.
struct Parts {
    ports: Ports,
    events: Events,
    find: FindAudience,
    new: NewAudiences,
    visibility: AudienceVisibility,
    accept: AcceptOperation,
    ends: EndOperation,
    purges: PlanPurge,
    release: ReleaseHeld,
    pages: Arc<PageIndexes>,
    writer: Arc<Writer>,
    write: WriteContacts,
    warm: WarmPages,
    uploads: FindUpload,
    exclusions: Exclusions,
    survey: Surveyor,
}

impl Parts {
    fn new(ports: Ports, wake: &Wake, stopping: &CancellationToken) -> Self {
        let Ports {
            store,
            queries,
            contacts,
            clock,
            ids,
            ..
        } = ports.clone();
        let events = Events {
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            wake: wake.clone(),
        };
        let find = FindAudience {
            queries: Arc::clone(&queries),
        };
        let visibility = AudienceVisibility {
            clock: Arc::clone(&clock),
            events: events.clone(),
        };
        let purges = PlanPurge {
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        };
        let pages = PageIndexes::new(queries.clone(), contacts.clone(), clock.clone());
        let pages = Arc::new(pages);
        let repair = repair(&ports);
        let writer = Writer::new(repair, ids.clone(), pages.clone(), stopping.clone());
        let writer = Arc::new(writer);
        let uploads = FindUpload {
            queries: Arc::clone(&queries),
        };
        Self {
            new: NewAudiences {
                clock: Arc::clone(&clock),
                ids: Arc::clone(&ids),
            },
            accept: AcceptOperation {
                store: Arc::clone(&store),
                ids,
                events: events.clone(),
            },
            ends: EndOperation {
                store,
                clock,
                events: events.clone(),
            },
            release: ReleaseHeld {
                visibility: visibility.clone(),
                purges: purges.clone(),
            },
            write: WriteContacts {
                queries: Arc::clone(&queries),
                writer: Arc::clone(&writer),
            },
            warm: WarmPages {
                find: find.clone(),
                pages: Arc::clone(&pages),
            },
            exclusions: Exclusions {
                uploads: uploads.clone(),
                blobs: Arc::clone(&ports.blobs),
                formats: Arc::clone(&ports.formats),
            },
            survey: Surveyor {
                walk: Walk {
                    queries,
                    contacts,
                    spool: Arc::clone(&ports.spool),
                    step: ports.steps.judged,
                },
            },
            ports,
            events,
            find,
            visibility,
            purges,
            pages,
            writer,
            uploads,
        }
    }

    fn contacts(&self) -> Contacts {
        let Ports {
            store,
            queries,
            contacts,
            clock,
            ..
        } = self.ports.clone();
        Contacts {
            read: ReadContacts {
                find: self.find.clone(),
                queries: Arc::clone(&queries),
                contacts: Arc::clone(&contacts),
                clock: Arc::clone(&clock),
                cuts: CutPages {
                    queries: Arc::clone(&queries),
                    contacts,
                    pages: Arc::clone(&self.pages),
                    writer: Arc::clone(&self.writer),
                },
            },
            add: AddContacts {
                find: self.find.clone(),
                store,
                clock,
                write: self.write.clone(),
            },
            remove: RemoveContact {
                find: self.find.clone(),
                queries,
                writer: Arc::clone(&self.writer),
            },
        }
    }

    fn customers(&self) -> Customers {
        let Ports {
            store, clock, ids, ..
        } = self.ports.clone();
        Customers {
            read: ReadCustomers {
                queries: Arc::clone(&self.ports.queries),
            },
            write: WriteCustomers {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
            },
            events: RecordEvents {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                ids,
                kept: self.ports.customer_events_kept,
            },
            sync: SyncImported { store, clock },
        }
    }

    fn uploads(&self, operations: &FindOperation) -> Uploads {
        let Ports {
            store,
            blobs,
            formats,
            clock,
            ids,
            ..
        } = self.ports.clone();
        let bring_in = BringIn {
            find: self.find.clone(),
            uploads: self.uploads.clone(),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            accept: self.accept.clone(),
            new: self.new.clone(),
        };
        Uploads {
            receive: ReceiveUpload {
                store,
                blobs: Arc::clone(&blobs),
                formats,
                clock,
                ids,
                uploads: self.uploads.clone(),
            },
            find: self.uploads.clone(),
            rejected: RejectedRows {
                operations: operations.clone(),
                uploads: self.uploads.clone(),
                exclusions: self.exclusions.clone(),
                blobs,
                bring: bring_in.clone(),
            },
            bring_in,
            exclusions: self.exclusions.clone(),
        }
    }

    fn sets(&self) -> DocumentSets {
        DocumentSets {
            spool: Arc::clone(&self.ports.spool),
            exclusions: self.exclusions.clone(),
        }
    }

    fn abandoned(&self) -> AbandonedCreations {
        AbandonedCreations {
            store: Arc::clone(&self.ports.store),
            accept: self.accept.clone(),
            purges: self.purges.clone(),
        }
    }

    fn upkeep(&self) -> Upkeep {
        let Ports {
            store,
            queries,
            blobs,
            spool,
            clock,
            ..
        } = self.ports.clone();
        Upkeep {
            repair: repair(&self.ports),
            abandoned: self.abandoned(),
            expired: PurgeExpired {
                store: Arc::clone(&store),
                clock,
                kept: self.ports.customer_events_kept,
            },
            files: SweepFiles {
                store,
                queries,
                blobs,
                spool,
            },
        }
    }

    fn undo(&self, operations: &FindOperation) -> UndoOperation {
        let Ports {
            store,
            queries,
            contacts,
            clock,
            ..
        } = self.ports.clone();
        UndoOperation {
            operations: operations.clone(),
            find: self.find.clone(),
            store: Arc::clone(&store),
            queries: Arc::clone(&queries),
            writer: Arc::clone(&self.writer),
            pages: Arc::clone(&self.pages),
            clock,
            events: self.events.clone(),
            ends: self.ends.clone(),
            purges: self.purges.clone(),
            withhold: Withhold {
                store,
                queries,
                contacts,
                purges: self.purges.clone(),
            },
        }
    }

    fn jobs(&self) -> Jobs {
        let ends = EndUnfinished {
            store: Arc::clone(&self.ports.store),
            release: self.release.clone(),
            ends: self.ends.clone(),
        };
        let copy = CopyContacts {
            survey: self.survey.clone(),
            find: self.find.clone(),
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
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
            .with(self.run_purge())
    }

    fn run_upload(&self) -> RunUpload {
        let Ports {
            store,
            queries,
            contacts,
            blobs,
            spool,
            formats,
            clock,
            steps,
            ..
        } = self.ports.clone();
        RunUpload {
            read: ReadFile {
                blobs,
                spool: Arc::clone(&spool),
                formats,
                clock: Arc::clone(&clock),
            },
            apply: ApplyRows {
                queries,
                contacts,
                spool: Arc::clone(&spool),
                write: self.write.clone(),
                step: steps.written,
            },
            find: self.find.clone(),
            store,
            spool,
            clock,
            visibility: self.visibility.clone(),
            events: self.events.clone(),
            ends: self.ends.clone(),
            warm: self.warm.clone(),
        }
    }

    fn run_recycle(&self, copy: CopyContacts) -> RunRecycle {
        RunRecycle {
            survey: self.survey.clone(),
            sets: self.sets(),
            copy,
            find: self.find.clone(),
            store: Arc::clone(&self.ports.store),
            writer: Arc::clone(&self.writer),
            pages: Arc::clone(&self.pages),
            clock: Arc::clone(&self.ports.clock),
            events: self.events.clone(),
            ends: self.ends.clone(),
            purges: self.purges.clone(),
        }
    }

    fn run_purge(&self) -> RunPurge {
        let Ports {
            store,
            queries,
            contacts,
            steps,
            ..
        } = self.ports.clone();
        RunPurge {
            store,
            queries,
            contacts,
            writer: Arc::clone(&self.writer),
            ends: self.ends.clone(),
            step: steps.purged,
        }
    }
}

fn repair(ports: &Ports) -> Repair {
    Repair {
        store: Arc::clone(&ports.store),
        queries: Arc::clone(&ports.queries),
        contacts: Arc::clone(&ports.contacts),
        clock: Arc::clone(&ports.clock),
        owner: ports.owner.clone(),
    }
}

impl UseCases {
    /// Puts the use cases on these ports.
    pub fn new(ports: Ports) -> Self {
        let (wake, stopping) = (Wake::default(), CancellationToken::new());
        let frame = Frame::new(
            Arc::<dyn AudienceStore>::clone(&ports.store),
            Arc::<dyn AudienceQueries>::clone(&ports.queries),
            wake.clone(),
            Arc::clone(&ports.clock),
            ports.owner.clone(),
            stopping.clone(),
        );
        let frame = Arc::new(frame);
        let parts = Parts::new(ports, &wake, &stopping);
        let operations = FindOperation {
            frame: Arc::clone(&frame),
        };
        let contacts = parts.contacts();
        let Ports {
            store,
            queries,
            clock,
            ids,
            ..
        } = parts.ports.clone();
        Self {
            find: parts.find.clone(),
            change: ChangeAudience {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                events: parts.events.clone(),
            },
            create: CreateAudience {
                store: Arc::clone(&store),
                new: parts.new.clone(),
                add: contacts.add.clone(),
                visibility: parts.visibility.clone(),
                events: parts.events.clone(),
                abandoned: parts.abandoned(),
            },
            clear: ClearAudience {
                find: parts.find.clone(),
                store: Arc::clone(&store),
                queries: Arc::clone(&queries),
                clock: Arc::clone(&clock),
                ids: Arc::clone(&ids),
                events: parts.events.clone(),
                accept: parts.accept.clone(),
                ends: parts.ends.clone(),
                purges: parts.purges.clone(),
                release: parts.release.clone(),
            },
            duplicate: DuplicateAudience {
                find: parts.find.clone(),
                new: parts.new.clone(),
                accept: parts.accept.clone(),
                clock: Arc::clone(&clock),
            },
            recycle: RecycleAudience {
                find: parts.find.clone(),
                queries: Arc::clone(&queries),
                clock: Arc::clone(&clock),
                ids: Arc::clone(&ids),
                accept: parts.accept.clone(),
                new: parts.new.clone(),
                survey: parts.survey.clone(),
                sets: parts.sets(),
            },
            contacts,
            uploads: parts.uploads(&operations),
            customers: parts.customers(),
            outcomes: Outcomes {
                store: Arc::clone(&store),
                queries: Arc::clone(&queries),
            },
            notifications: Notifications {
                store: Arc::clone(&store),
                queries,
                clock: Arc::clone(&clock),
                ids: Arc::clone(&ids),
                wake: wake.clone(),
            },
            redriving: KeepRedriving {
                store: Arc::clone(&store),
            },
            operations: Arc::new(Operations {
                frame,
                jobs: parts.jobs(),
                store,
                events: parts.events.clone(),
                release: parts.release.clone(),
                undo: parts.undo(&operations),
                find: operations,
            }),
            upkeep: parts.upkeep(),
            ids,
            clock,
            wake,
            stopping,
        }
    }

    /// Repairs what a process left that owned its stores alone: interrupted writes, leases, and
    /// audiences whose making was cut off. Answers how many writes and audiences.
    ///
    /// # Errors
    /// Store errors.
    pub async fn repair_all(&self) -> super::AppResult<usize> {
        let repaired = self.upkeep.repair.all().await?;
        Ok(repaired + self.upkeep.abandoned.drop_all().await?)
    }

    /// Asks running operations to stop at their next checkpoint and to go back into the queue, and
    /// requests not to wait for what another process holds.
    pub fn stop_work(&self) {
        self.stopping.cancel();
    }
}
