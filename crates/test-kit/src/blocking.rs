//! What tests without a runtime of their own wait with.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

/// Longest time that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(1).enable_all();
    builder.build().expect("a runtime")
});

/// Waits for a future, on the thread of the caller.
///
/// # Panics
/// When the caller is a runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// Waits for something, at most as long as patience lasts.
///
/// # Panics
/// When it lasts longer.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(PAUSE);
    }
}
