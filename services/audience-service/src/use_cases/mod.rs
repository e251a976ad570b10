//! Puts the use cases on their ports.

mod groups;
mod jobs;
mod parts;
mod segments;

use std::sync::Arc;

use chrono::TimeDelta;
use messaging::DeadLetterQueue;
use operations::Frame;
use ports::{
    Clock, IdGenerator, SecretVault,
    contacts::ContactStore,
    files::{BlobStore, RecordFormats, Spool},
    segments::SegmentResolver,
    store::{AudienceQueries, AudienceStore},
    warehouse::Warehouses,
};
use tokio_util::sync::CancellationToken;

pub use groups::{Contacts, Customers, Suppressions, Upkeep, Uploads};
use parts::Parts;

use super::{
    AppResult, Wake,
    audience::{AudienceUsages, ChangeAudience, FindAudience},
    control::Operations,
    creation::CreateAudience,
    dead_letter::DeadLetters,
    derive::DeriveAudiences,
    group::EditList,
    notification::Notifications,
    operation::FindOperation,
    outcome::Outcomes,
    recipient::ResolveRecipients,
    recycle::{DuplicateAudience, RecycleAudience},
    removal::ClearAudience,
    score::Scores,
    segment::{Corrections, Segments, SizeGuard},
    segment_source::SegmentSources,
    workspace::Workspaces,
};

/// Rows that long work takes in one step, each with a checkpoint of its own.
#[derive(Debug, Clone, Copy)]
pub struct StepSizes {
    /// Contacts that a removal, a copy or a derivation judges.
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
    /// Who fulfils conditions, of the own store.
    pub segments: Arc<dyn SegmentResolver>,
    /// Customers outside.
    pub warehouses: Arc<dyn Warehouses>,
    /// Secrets at rest.
    pub vault: Arc<dyn SecretVault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// How much a refresh may change.
    pub guard: SizeGuard,
    /// How much long work does at a time.
    pub steps: StepSizes,
    /// How long events of customers are kept.
    pub customer_events_kept: TimeDelta,
    /// Name of this process in leases; new with every start.
    pub owner: String,
}

/// The use cases of the service.
pub struct UseCases {
    /// Finds audiences.
    pub find: FindAudience,
    /// Changes them.
    pub change: ChangeAudience,
    /// Knows what uses them.
    pub usages: AudienceUsages,
    /// Creates them.
    pub create: CreateAudience,
    /// Empties them.
    pub clear: ClearAudience,
    /// Copies them.
    pub duplicate: DuplicateAudience,
    /// Makes audiences of others.
    pub derive: DeriveAudiences,
    /// Removes people by rules.
    pub recycle: RecycleAudience,
    /// Contacts.
    pub contacts: Contacts,
    /// Changes lists and adds customers to them.
    pub edit_list: EditList,
    /// Files.
    pub uploads: Uploads,
    /// Customers.
    pub customers: Customers,
    /// Segments.
    pub segments: Segments,
    /// Where their customers are.
    pub segment_sources: SegmentSources,
    /// Scores of buyers.
    pub scores: Scores,
    /// Settings of workspaces.
    pub workspaces: Workspaces,
    /// Reported outcomes.
    pub outcomes: Outcomes,
    /// Who is not to be written to.
    pub suppressions: Suppressions,
    /// Recipients of communications.
    pub recipients: ResolveRecipients,
    /// Notifications.
    pub notifications: Notifications,
    /// Long work.
    pub operations: Arc<Operations>,
    /// What nightly refreshes had to correct.
    pub corrections: Corrections,
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

impl UseCases {
    /// The dead letters of a bus, which is joined after the stores were opened.
    pub fn dead_letters(&self, queue: DeadLetterQueue) -> DeadLetters {
        let store = self.outcomes.store.clone();
        DeadLetters { queue, store }
    }

    /// Puts the use cases on these ports.
    pub fn new(ports: Ports) -> Self {
        let (wake, stopping) = (Wake::default(), CancellationToken::new());
        let frame = Frame::new(
            Arc::<dyn AudienceStore>::clone(&ports.store),
            Arc::<dyn AudienceQueries>::clone(&ports.queries),
            wake.clone(),
            ports.clock.clone(),
            ports.owner.clone(),
            stopping.clone(),
        );
        let frame = Arc::new(frame);
        let parts = Parts::new(ports, &wake, &stopping);
        let operations = FindOperation {
            frame: Arc::clone(&frame),
        };
        let contacts = parts.contacts();
        let p = &parts.ports;
        Self {
            find: parts.find.clone(),
            change: parts.change(),
            usages: parts.usages(),
            recipients: parts.recipients(),
            suppressions: parts.suppressions(),
            edit_list: parts.edit_list(),
            create: CreateAudience {
                store: p.store.clone(),
                new: parts.new.clone(),
                add: contacts.add.clone(),
                visibility: parts.visibility.clone(),
                events: parts.events.clone(),
                abandoned: parts.abandoned(),
            },
            clear: parts.clear(),
            duplicate: parts.duplicate(),
            derive: parts.derive(),
            recycle: parts.recycle(),
            contacts,
            uploads: parts.uploads(&operations),
            customers: parts.customers(),
            segments: parts.segments(),
            segment_sources: parts.segment_sources(),
            scores: parts.scores(),
            corrections: parts.corrections.clone(),
            workspaces: Workspaces {
                store: p.store.clone(),
                queries: p.queries.clone(),
            },
            outcomes: Outcomes {
                store: p.store.clone(),
                queries: p.queries.clone(),
                clock: p.clock.clone(),
            },
            notifications: Notifications {
                store: p.store.clone(),
                queries: p.queries.clone(),
                clock: p.clock.clone(),
                ids: p.ids.clone(),
                wake: wake.clone(),
            },
            operations: Arc::new(Operations {
                frame,
                jobs: parts.jobs(),
                store: p.store.clone(),
                events: parts.events.clone(),
                release: parts.release.clone(),
                undo: parts.undo(&operations),
                find: operations,
            }),
            upkeep: parts.upkeep(),
            ids: p.ids.clone(),
            clock: p.clock.clone(),
            wake,
            stopping,
        }
    }

    /// Repairs what a process left that owned its stores alone: interrupted writes, leases, and
    /// audiences whose making was cut off. Answers how many writes and audiences.
    ///
    /// # Errors
    /// Store errors.
    pub async fn repair_all(&self) -> AppResult<usize> {
        let repaired = self.upkeep.repair.all().await?;
        Ok(repaired + self.upkeep.abandoned.drop_all().await?)
    }

    /// Asks running operations to stop at their next checkpoint and to go back into the queue, and
    /// requests not to wait for what another process holds.
    pub fn stop_work(&self) {
        self.stopping.cancel();
    }
}
