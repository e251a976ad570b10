//! Two commands that meet at a chosen point of one of them.

use std::{
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use ports::crash;

/// By then a command has come to its point, or never will.
const PATIENCE: Duration = Duration::from_secs(30);

tokio::task_local! {
    static HALT: Halt;
}

/// Where a command stops, and how it is told to go on.
struct Halt {
    at: &'static str,
    reached: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

/// A command that runs beside the test.
pub struct Command<T> {
    reached: Receiver<()>,
    go_on: Sender<()>,
    task: tokio::task::JoinHandle<T>,
}

/// Where whoever comes first stops, also in a task that the command has started.
static FIRST: Mutex<Vec<Halt>> = Mutex::new(Vec::new());

impl Halt {
    fn at(at: &'static str) -> (Self, Receiver<()>, Sender<()>) {
        crash::install(Box::new(halt));
        let ((reached, seen), (go_on, told)) = (channel(), channel());
        let halt = Self {
            at,
            reached,
            go_on: Mutex::new(told),
        };
        (halt, seen, go_on)
    }

    fn wait(&self) {
        self.reached.send(()).unwrap();
        // It goes on as well where the test has ended.
        let _ = self.go_on.lock().unwrap().recv();
    }
}

fn halt(name: &'static str) {
    let mine = HALT.try_with(|halt| (halt.at == name).then(|| halt.wait()));
    if let Ok(Some(())) = mine {
        return;
    }
    let first = {
        let mut waiting = FIRST.lock().unwrap();
        let at = waiting.iter().position(|halt| halt.at == name);
        at.map(|at| waiting.remove(at))
    };
    if let Some(halt) = first {
        halt.wait();
    }
}

/// Starts a command that stops when it comes to the crash point `at`. On several threads only: it keeps
/// the one that it is on.
pub fn until<T: Send + 'static>(
    at: &'static str,
    command: impl Future<Output = T> + Send + 'static,
) -> Command<T> {
    let (halt, reached, go_on) = Halt::at(at);
    let task = tokio::spawn(HALT.scope(halt, command));
    Command {
        reached,
        go_on,
        task,
    }
}

/// The same where the point lies in a task of its own: whoever in this process comes to it first stops.
pub fn until_first<T: Send + 'static>(
    at: &'static str,
    command: impl Future<Output = T> + Send + 'static,
) -> Command<T> {
    let (halt, reached, go_on) = Halt::at(at);
    FIRST.lock().unwrap().push(halt);
    let task = tokio::spawn(command);
    Command {
        reached,
        go_on,
        task,
    }
}

impl<T> Command<T> {
    /// Waits until the command has come to its point.
    pub fn reached(&self) {
        tokio::task::block_in_place(|| self.reached.recv_timeout(PATIENCE)).unwrap();
    }

    /// Lets it go on to its end.
    pub async fn finish(self) -> T {
        drop(self.go_on);
        self.task.await.unwrap()
    }
}
