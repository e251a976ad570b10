//! Puts the sender together: the only file that names adapters.

use std::sync::Arc;

use adapter_sql::{Context, sqlite::Db};
use kernel::Wake;
use messaging::Signal;
use ports::bus::Subscription;
use runtime::SystemClock;
use service_kit::{Host, Messaging, Module, StartError, Started};
use settings::Settings;

use crate::{
    handler::{LogSender, Send},
    log::LogFile,
};

/// What the database holds.
const CONTEXTS: &[Context] = &[Context::Messaging];
/// The file in the data directory.
const FILE: &str = "dispatches.ndjson";

/// The log sender, its store open.
struct Sender {
    db: Db,
    sender: Arc<LogSender>,
}

/// Opens the log sender in a data directory that this process has to itself.
///
/// # Errors
/// See [`StartError`].
pub async fn embedded(settings: &Settings) -> Result<Box<dyn Module>, StartError> {
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    let db = Db::open(&dir.join("sender.db")).await?;
    db.migrate(CONTEXTS).await?;
    let file = LogFile::open(&dir.join(FILE)).map_err(StartError::DataDir)?;
    let sender = LogSender {
        store: Arc::new(db.clone()),
        clock: Arc::new(SystemClock),
        wake: Wake::default(),
        file: Arc::new(file),
    };
    Ok(Box::new(Sender {
        db,
        sender: Arc::new(sender),
    }))
}

impl Module for Sender {
    fn messaging(&self) -> Messaging {
        let signal = Signal::from(self.sender.wake.on_outbox());
        Messaging::of("sender", &self.db, signal, |router| {
            let subscription = Subscription::from_static(events::SENDERS);
            router.on(subscription, Send(Arc::clone(&self.sender)))
        })
    }

    fn start(self: Box<Self>, _: &Host) -> Option<Started> {
        None
    }
}
