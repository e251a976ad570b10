//! A mail server that takes what it is given, or does what a test tells it to.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::tls::{SelfSigned, self_signed};

/// The longest wait for an e-mail that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server does once, when it comes to a step: `connect`, the verb of a command, or `.` for the end of an
/// e-mail. What it does instead of answering `.` loses the answer: the e-mail is taken.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Answers with this code.
    Answer(&'static str, u16),
    /// Says nothing any more.
    Hang(&'static str),
    /// Closes the connection.
    Close(&'static str),
}

impl Fault {
    const fn step(self) -> &'static str {
        match self {
            Self::Answer(step, _) | Self::Hang(step) | Self::Close(step) => step,
        }
    }
}

/// An e-mail as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// What the client calls itself.
    pub hello: String,
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: Vec<String>,
    /// Head and body.
    pub data: String,
    /// Whether it came through TLS.
    pub tls: bool,
    /// Whether the client said who it is.
    pub known: bool,
}

impl Mail {
    /// The value of a header.
    ///
    /// # Panics
    /// When it is not there.
    pub fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        let value = self.data.lines().find_map(|line| line.strip_prefix(&start));
        value.unwrap_or_else(|| panic!("no {name} in {}", self.data))
    }
}

/// How a server is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// TLS from the beginning.
    pub tls: bool,
    /// TLS for whoever asks.
    pub starttls: bool,
    /// User and password without which nothing is taken.
    pub login: Option<(&'static str, &'static str)>,
}

struct Shared {
    style: Style,
    config: Arc<ServerConfig>,
    faults: Mutex<VecDeque<Fault>>,
    mails: Mutex<Vec<Mail>>,
    came: Condvar,
    connections: AtomicUsize,
}

/// A mail server on a port of its own, as `localhost`.
pub struct Fake {
    /// Where it is.
    pub address: SocketAddr,
    /// The certificate that it shows, for as long as this lives.
    pub ca_file: PathBuf,
    shared: Arc<Shared>,
    _dir: TempDir,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fake {
    /// A server that takes everything in the open.
    pub fn start() -> Self {
        Self::with(Style::default())
    }

    /// A server of a style.
    ///
    /// # Panics
    /// When there is no port to be had.
    pub fn with(style: Style) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let SelfSigned { config, pem, .. } = self_signed("localhost");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, pem).expect("a file");
        let shared = Arc::new(Shared {
            style,
            config,
            faults: Mutex::default(),
            mails: Mutex::default(),
            came: Condvar::new(),
            connections: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                shared.connections.fetch_add(1, Ordering::Relaxed);
                // A client may go at any time.
                std::thread::spawn(move || drop(Session::serve(&shared, stream)));
            }
        });
        Self {
            address,
            ca_file,
            shared,
            _dir: dir,
        }
    }

    /// Does this the next time that it comes to the step.
    pub fn fault(&self, fault: Fault) {
        lock(&self.shared.faults).push_back(fault);
    }

    /// Every e-mail that was taken so far.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.shared.mails).clone()
    }

    /// Waits until so many e-mails were taken.
    ///
    /// # Panics
    /// When they do not come.
    pub fn until(&self, count: usize) -> Vec<Mail> {
        let mails = lock(&self.shared.mails);
        let few = |mails: &mut Vec<Mail>| mails.len() < count;
        let waited = self.shared.came.wait_timeout_while(mails, PATIENCE, few);
        let (mails, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(mails.len() >= count, "{} of {count} e-mails", mails.len());
        mails.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

/// What is spoken over.
trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// What comes of a line.
enum Next {
    On,
    Starttls,
    Over,
}

struct Session<'a> {
    shared: &'a Shared,
    stream: BufReader<Box<dyn Stream>>,
    mail: Mail,
}

impl<'a> Session<'a> {
    fn serve(shared: &'a Shared, tcp: TcpStream) -> io::Result<()> {
        let closing = tcp.try_clone()?;
        let raw = tcp.try_clone()?;
        let secured = |tcp| -> io::Result<Box<dyn Stream>> {
            let tls =
                ServerConnection::new(Arc::clone(&shared.config)).map_err(io::Error::other)?;
            Ok(Box::new(StreamOwned::new(tls, tcp)))
        };
        let stream: Box<dyn Stream> = match shared.style.tls {
            true => secured(tcp)?,
            false => Box::new(tcp),
        };
        let mut session = Self {
            shared,
            stream: BufReader::new(stream),
            mail: Mail {
                tls: shared.style.tls,
                ..Mail::default()
            },
        };
        let mut next = session.answer("connect", "220 localhost\r\n")?;
        loop {
            match next {
                Next::On => next = session.line()?,
                Next::Starttls => {
                    session.stream = BufReader::new(secured(raw.try_clone()?)?);
                    session.mail.tls = true;
                    next = Next::On;
                }
                Next::Over => return closing.shutdown(Shutdown::Both),
            }
        }
    }

    /// Answers a step, or does what was asked for instead.
    fn answer(&mut self, step: &str, text: &str) -> io::Result<Next> {
        let fault = {
            let mut faults = lock(&self.shared.faults);
            let at = faults.iter().position(|fault| fault.step() == step);
            at.and_then(|at| faults.remove(at))
        };
        let answered = match fault {
            None => text.to_owned(),
            Some(Fault::Answer(_, code)) => format!("{code} {step} of ana@example.org\r\n"),
            Some(Fault::Close(_)) => return Ok(Next::Over),
            Some(Fault::Hang(_)) => {
                // Until the client goes.
                io::copy(&mut self.stream, &mut io::sink())?;
                return Ok(Next::Over);
            }
        };
        let out = self.stream.get_mut();
        out.write_all(answered.as_bytes())?;
        out.flush()?;
        Ok(Next::On)
    }

    fn line(&mut self) -> io::Result<Next> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Ok(Next::Over);
        }
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        let style = self.shared.style;
        match verb {
            "EHLO" => {
                self.mail.hello = line.trim_start_matches("EHLO ").to_owned();
                let starttls = match style.starttls && !self.mail.tls {
                    true => "250-STARTTLS\r\n",
                    false => "",
                };
                let text = format!("250-localhost\r\n{starttls}250-AUTH PLAIN\r\n250 8BITMIME\r\n");
                self.answer(verb, &text)
            }
            "STARTTLS" => {
                let next = self.answer(verb, "220 go on\r\n")?;
                Ok(match next {
                    Next::On => Next::Starttls,
                    other => other,
                })
            }
            "AUTH" => {
                let (user, password) = style.login.unwrap_or_default();
                self.mail.known = line.ends_with(&plain(user, password));
                let text = match self.mail.known {
                    true => "235 welcome\r\n",
                    false => "535 who is that\r\n",
                };
                self.answer(verb, text)
            }
            "MAIL" if style.login.is_some() && !self.mail.known => {
                self.answer(verb, "530 who is that\r\n")
            }
            "MAIL" => {
                self.mail.from = address(line);
                self.mail.to.clear();
                self.answer(verb, "250 ok\r\n")
            }
            "RCPT" => {
                self.mail.to.push(address(line));
                self.answer(verb, "250 ok\r\n")
            }
            "DATA" => {
                let is_refused = self.refuses(verb);
                match self.answer(verb, "354 go on\r\n")? {
                    Next::On if !is_refused => self.data(),
                    other => Ok(other),
                }
            }
            "QUIT" => {
                self.answer(verb, "221 bye\r\n")?;
                Ok(Next::Over)
            }
            _ => self.answer(verb, "250 ok\r\n"),
        }
    }

    /// Whether the next answer of a step is another than it should be.
    fn refuses(&self, step: &str) -> bool {
        let faults = lock(&self.shared.faults);
        let next = faults.iter().find(|fault| fault.step() == step);
        matches!(next, Some(Fault::Answer(..)))
    }

    fn data(&mut self) -> io::Result<Next> {
        self.mail.data.clear();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Ok(Next::Over);
            }
            if line == ".\r\n" {
                break;
            }
            let line = line.strip_prefix('.').unwrap_or(&line);
            self.mail.data.push_str(line);
        }
        if !self.refuses(".") {
            lock(&self.shared.mails).push(self.mail.clone());
            self.shared.came.notify_all();
        }
        self.answer(".", "250 ok\r\n")
    }
}

/// What is between the angle brackets.
fn address(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}

/// What AUTH PLAIN says.
fn plain(user: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("\0{user}\0{password}"))
}
