//! Two commands that meet at a chosen point of one of them.

use std::sync::mpsc::{Receiver, Sender, channel};

use ports::crash;

tokio::task_local! {
    static HALT: Halt;
}

/// Where a command stops, and how it is told to go on.
struct Halt {
    at: &'static str,
    reached: Sender<()>,
    go_on: std::sync::Mutex<Receiver<()>>,
}

/// A command that runs beside the test.
pub struct Command<T> {
    reached: Receiver<()>,
    go_on: Sender<()>,
    task: tokio::task::JoinHandle<T>,
}

/// Starts a command that stops when it comes to the crash point `at`. On several threads only: it keeps
/// the one that it is on.
pub fn until<T: Send + 'static>(
    at: &'static str,
    command: impl Future<Output = T> + Send + 'static,
) -> Command<T> {
    crash::install(Box::new(|name| {
        let halt = |halt: &Halt| {
            if halt.at == name {
                halt.reached.send(()).unwrap();
                // It goes on as well where the test has ended.
                let _ = halt.go_on.lock().unwrap().recv();
            }
        };
        let _ = HALT.try_with(halt);
    }));
    let ((reached, seen), (go_on, told)) = (channel(), channel());
    let halt = Halt {
        at,
        reached,
        go_on: std::sync::Mutex::new(told),
    };
    let task = tokio::spawn(HALT.scope(halt, command));
    Command {
        reached: seen,
        go_on,
        task,
    }
}

impl<T> Command<T> {
    /// Waits until the command has come to its point.
    pub fn reached(&self) {
        tokio::task::block_in_place(|| self.reached.recv()).unwrap();
    }

    /// Lets it go on to its end.
    pub async fn finish(self) -> T {
        drop(self.go_on);
        self.task.await.unwrap()
    }
}
