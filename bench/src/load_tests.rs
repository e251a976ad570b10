use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Condvar, RwLock},
};

use super::*;

const RATE: u32 = 100;
/// What is answered after twenty others.
const SLOW: &str = "/slow";
const STALL: Duration = Duration::from_millis(300);

/// A server that answers at once, except while it is stalled: then after that.
struct Stub {
    address: SocketAddr,
    gate: Arc<RwLock<()>>,
    answers: Arc<(Mutex<usize>, Condvar)>,
}

impl Stub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stub = Self {
            address: listener.local_addr().unwrap(),
            gate: Arc::default(),
            answers: Arc::default(),
        };
        let (gate, answers) = (Arc::clone(&stub.gate), Arc::clone(&stub.answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (gate, answers) = (Arc::clone(&gate), Arc::clone(&answers));
                std::thread::spawn(move || serve(&stream, &gate, &answers));
            }
        });
        stub
    }

    fn wait_for(&self, answers: usize) {
        let (count, changed) = &*self.answers;
        let count = count.lock().unwrap();
        drop(changed.wait_while(count, |count| *count < answers).unwrap());
    }
}

fn serve(mut stream: &TcpStream, gate: &RwLock<()>, (count, changed): &(Mutex<usize>, Condvar)) {
    let mut slow = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        slow |= line.contains(SLOW);
        if !line.is_empty() {
            continue;
        }
        drop(gate.read().unwrap());
        if std::mem::take(&mut slow) {
            let answered = count.lock().unwrap();
            drop(changed.wait_while(answered, |count| *count < 20).unwrap());
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        // The client may be gone.
        let _ = stream.write_all(answer);
        *count.lock().unwrap() += 1;
        changed.notify_all();
    }
}

fn requests(stub: &Stub) -> Requests {
    open_loop(stub.address, RATE, |_| {
        encode("GET", "/", "text/plain", b"")
    })
    .unwrap()
}

/// The work beside ends while requests stall: those due meanwhile are unanswered when the load is
/// told to end, and most of them are not even sent.
#[test]
fn a_stall_is_counted_with_all_that_was_due_in_it() {
    let stub = Stub::start();
    let load = requests(&stub);
    stub.wait_for(10);
    let stalled = stub.gate.write().unwrap();
    let stalled_at = Instant::now();
    std::thread::sleep(STALL);
    let pace = load.schedule.pace;
    let answered = std::thread::scope(|scope| {
        let finish = scope.spawn(|| load.finish().unwrap());
        std::thread::sleep(STALL);
        drop(stalled);
        finish.join().unwrap()
    });
    let in_stall: Vec<_> = answered
        .iter()
        .filter(|(due, _)| (stalled_at..stalled_at + 2 * STALL).contains(due))
        .collect();
    let due = 2 * STALL.as_nanos() / pace.as_nanos();
    assert!(
        in_stall.len() as u128 >= due - 1,
        "{} of {due}",
        in_stall.len()
    );
    for (due, taken) in in_stall {
        let at_least = ms(stalled_at + 2 * STALL - *due);
        assert!(*taken >= at_least, "{taken} of at least {at_least}");
    }
}

/// The first request is answered after twenty others.
#[test]
fn one_slow_answer_delays_no_other_request() {
    let stub = Stub::start();
    let first = std::sync::atomic::AtomicBool::new(true);
    let load = open_loop(stub.address, RATE, move |_| {
        let path = if first.swap(false, Ordering::Relaxed) {
            SLOW
        } else {
            "/"
        };
        encode("GET", path, "text/plain", b"")
    })
    .unwrap();
    stub.wait_for(21);
    assert!(load.finish().unwrap().len() >= 21);
}
