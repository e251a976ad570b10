//! Use cases of segments, where their customers are, and scores.

use std::sync::Arc;

use ports::segments::SegmentResolver;

use super::parts::Parts;
use crate::{
    live::FollowChanges,
    score::Scores,
    segment::{
        DefineSegment, ExplainMembership, PreviewSegment, PublishMembers, ReadConditions,
        ReadHistory, RefreshAudience, Segments,
    },
    segment_source::{
        BytesBudget, CheckSegmentSource, OpenSource, SegmentSources, SetSegmentSource,
        WorkspaceResolver,
    },
};

impl Parts {
    pub(super) fn read_conditions(&self) -> ReadConditions {
        ReadConditions {
            find: self.find.clone(),
            queries: self.ports.queries.clone(),
            contacts: self.ports.contacts.clone(),
        }
    }

    pub(super) fn scores(&self) -> Scores {
        Scores {
            store: self.ports.store.clone(),
            queries: self.ports.queries.clone(),
            clock: self.ports.clock.clone(),
            accept: self.accept.clone(),
        }
    }

    pub(super) fn refresh(&self) -> RefreshAudience {
        RefreshAudience {
            find: self.find.clone(),
            store: self.ports.store.clone(),
            clock: self.ports.clock.clone(),
            accept: self.accept.clone(),
        }
    }

    pub(super) fn live(&self) -> FollowChanges {
        let p = &self.ports;
        FollowChanges {
            find: self.find.clone(),
            read: self.read_conditions(),
            resolver: p.segments.clone(),
            store: p.store.clone(),
            queries: p.queries.clone(),
            writer: self.writer.clone(),
            refresh: self.refresh(),
            clock: p.clock.clone(),
            owner: p.owner.clone(),
            resolved_by: Default::default(),
            resting: Default::default(),
        }
    }

    pub(super) fn preview(&self) -> PreviewSegment {
        PreviewSegment {
            read: self.read_conditions(),
            resolver: self.resolver(),
            queries: self.ports.queries.clone(),
            clock: self.ports.clock.clone(),
            accept: self.accept.clone(),
        }
    }

    pub(super) fn publish_members(&self) -> PublishMembers {
        PublishMembers {
            find: self.find.clone(),
            read: self.read_conditions(),
            store: self.ports.store.clone(),
            queries: self.ports.queries.clone(),
            events: self.events.clone(),
        }
    }

    pub(super) fn segments(&self) -> Segments {
        let (p, read, refresh) = (&self.ports, self.read_conditions(), self.refresh());
        Segments {
            define: DefineSegment {
                find: self.find.clone(),
                change: self.change(),
                read: read.clone(),
                refresh: refresh.clone(),
            },
            preview: self.preview(),
            explain: ExplainMembership {
                find: self.find.clone(),
                read,
                queries: p.queries.clone(),
                contacts: self.contacts().read,
                clock: p.clock.clone(),
            },
            history: ReadHistory {
                find: self.find.clone(),
                queries: p.queries.clone(),
                contacts: p.contacts.clone(),
                read: self.contacts().read,
                clock: p.clock.clone(),
            },
            refresh,
        }
    }

    fn open_source(&self) -> OpenSource {
        let p = &self.ports;
        OpenSource {
            queries: p.queries.clone(),
            vault: p.vault.clone(),
            warehouses: p.warehouses.clone(),
        }
    }

    /// Who fulfils conditions, wherever the customers of a workspace are.
    pub(super) fn resolver(&self) -> Arc<dyn SegmentResolver> {
        let p = &self.ports;
        Arc::new(WorkspaceResolver {
            own: p.segments.clone(),
            open: self.open_source(),
            budget: BytesBudget {
                store: p.store.clone(),
                clock: p.clock.clone(),
            },
        })
    }

    pub(super) fn segment_sources(&self) -> SegmentSources {
        let p = &self.ports;
        SegmentSources {
            set: SetSegmentSource {
                store: p.store.clone(),
                clock: p.clock.clone(),
                open: self.open_source(),
            },
            check: CheckSegmentSource {
                open: self.open_source(),
                clock: p.clock.clone(),
            },
        }
    }
}
