//! The use cases of the service, each on the ports that it needs.

use std::sync::Arc;

use kernel::directory::RecipientSource;
use ports::{
    Clock, IdGenerator, SecretVault,
    scheduling::{Directory, ScheduleQueries, ScheduleStore},
};

use crate::{
    communication::{
        ChangeCommunication, CheckPlan, CreateCommunication, PreviewCommunication,
        ReadCommunications,
    },
    dispatch::{ClaimDue, DispatchResolved, Engine, ReleaseWaiting, Signals, TakeReports},
};

/// What stands behind the ports.
pub struct Setup {
    pub store: Arc<dyn ScheduleStore>,
    pub queries: Arc<dyn ScheduleQueries>,
    pub directory: Arc<dyn Directory>,
    pub recipients: Arc<dyn RecipientSource>,
    pub vault: Arc<dyn SecretVault>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of the service.
pub struct UseCases {
    pub create: CreateCommunication,
    pub read: ReadCommunications,
    pub change: ChangeCommunication,
    pub preview: PreviewCommunication,
    pub engine: Engine,
    pub resolved: DispatchResolved,
    pub reports: TakeReports,
    pub directory: Arc<dyn Directory>,
    pub signals: Signals,
}

impl UseCases {
    /// Puts the use cases on their ports.
    pub fn new(setup: Setup) -> Self {
        let signals = Signals::default();
        let Setup {
            store,
            queries,
            directory,
            recipients,
            vault,
            clock,
            ids,
        } = setup;
        let check = CheckPlan {
            directory: Arc::clone(&directory),
        };
        Self {
            create: CreateCommunication {
                store: Arc::clone(&store),
                check: check.clone(),
                clock: Arc::clone(&clock),
                ids,
                signals: signals.clone(),
            },
            read: ReadCommunications {
                queries: Arc::clone(&queries),
            },
            change: ChangeCommunication {
                store: Arc::clone(&store),
                check: check.clone(),
                clock: Arc::clone(&clock),
                signals: signals.clone(),
            },
            preview: PreviewCommunication {
                check,
                recipients,
                queries: Arc::clone(&queries),
                vault: Arc::clone(&vault),
                clock: Arc::clone(&clock),
            },
            engine: Engine {
                claim: ClaimDue {
                    store: Arc::clone(&store),
                    clock: Arc::clone(&clock),
                    signals: signals.clone(),
                },
                release: ReleaseWaiting {
                    store: Arc::clone(&store),
                    queries: Arc::clone(&queries),
                    vault: Arc::clone(&vault),
                    clock: Arc::clone(&clock),
                    signals: signals.clone(),
                },
                queries: Arc::clone(&queries),
                clock: Arc::clone(&clock),
            },
            resolved: DispatchResolved {
                store: Arc::clone(&store),
                queries,
                vault,
                clock: Arc::clone(&clock),
                signals: signals.clone(),
            },
            reports: TakeReports { store, clock },
            directory,
            signals,
        }
    }
}
