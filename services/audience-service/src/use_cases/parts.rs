//! Use cases that others are made of.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Ports;
use crate::{
    Wake,
    audience::{AudienceVisibility, FindAudience, NewAudiences},
    contact::{
        pages::{PageIndexes, WarmPages},
        write::{Repair, WriteContacts, Writer},
    },
    events::Events,
    operation::{AcceptOperation, EndOperation, PlanPurge, ReleaseHeld},
    recycle::{Surveyor, Walk},
    segment::Corrections,
    upload::{Exclusions, FindUpload},
};

/// Use cases that others are made of.
pub(super) struct Parts {
    pub(super) ports: Ports,
    pub(super) events: Events,
    pub(super) find: FindAudience,
    pub(super) new: NewAudiences,
    pub(super) visibility: AudienceVisibility,
    pub(super) accept: AcceptOperation,
    pub(super) ends: EndOperation,
    pub(super) purges: PlanPurge,
    pub(super) release: ReleaseHeld,
    pub(super) pages: Arc<PageIndexes>,
    pub(super) writer: Arc<Writer>,
    pub(super) write: WriteContacts,
    pub(super) warm: WarmPages,
    pub(super) uploads: FindUpload,
    pub(super) exclusions: Exclusions,
    pub(super) survey: Surveyor,
    pub(super) corrections: Corrections,
}

impl Parts {
    pub(super) fn new(ports: Ports, wake: &Wake, stopping: &CancellationToken) -> Self {
        let p = &ports;
        let events = Events {
            clock: p.clock.clone(),
            ids: p.ids.clone(),
            wake: wake.clone(),
        };
        let find = FindAudience {
            queries: p.queries.clone(),
        };
        let visibility = AudienceVisibility {
            clock: p.clock.clone(),
            events: events.clone(),
        };
        let purges = PlanPurge {
            clock: p.clock.clone(),
            ids: p.ids.clone(),
        };
        let pages = PageIndexes::new(p.queries.clone(), p.contacts.clone(), p.clock.clone());
        let pages = Arc::new(pages);
        let repair = repair(&ports);
        let writer = Writer::new(repair, p.ids.clone(), pages.clone(), stopping.clone());
        let writer = Arc::new(writer);
        let uploads = FindUpload {
            queries: p.queries.clone(),
        };
        Self {
            new: NewAudiences {
                clock: p.clock.clone(),
                ids: p.ids.clone(),
            },
            accept: AcceptOperation {
                store: p.store.clone(),
                ids: p.ids.clone(),
                events: events.clone(),
            },
            ends: EndOperation {
                store: p.store.clone(),
                clock: p.clock.clone(),
                events: events.clone(),
            },
            release: ReleaseHeld {
                visibility: visibility.clone(),
                purges: purges.clone(),
            },
            write: WriteContacts {
                queries: p.queries.clone(),
                writer: writer.clone(),
            },
            warm: WarmPages {
                find: find.clone(),
                pages: pages.clone(),
            },
            exclusions: Exclusions {
                uploads: uploads.clone(),
                blobs: ports.blobs.clone(),
                formats: ports.formats.clone(),
            },
            survey: Surveyor {
                walk: Walk {
                    queries: p.queries.clone(),
                    contacts: p.contacts.clone(),
                    spool: ports.spool.clone(),
                    step: ports.steps.judged,
                },
            },
            corrections: Corrections::default(),
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
}

pub(super) fn repair(ports: &Ports) -> Repair {
    Repair {
        store: ports.store.clone(),
        queries: ports.queries.clone(),
        contacts: ports.contacts.clone(),
        clock: ports.clock.clone(),
        owner: ports.owner.clone(),
    }
}
