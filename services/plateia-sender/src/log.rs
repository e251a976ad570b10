//! The log sender: a file with a line for each dispatch, for development.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use domain::customer::Channel;
use ports::sending::{Dispatch, MessageSender, NotPassed, Passed};
use serde::{Deserialize, Serialize};

/// What is written of a dispatch.
#[derive(Serialize)]
struct Line<'a> {
    dispatch_id: &'a str,
    workspace: &'a str,
    channel: &'a str,
    address: Option<&'a str>,
    subject: Option<&'a str>,
    text: Option<&'a str>,
    html: Option<&'a str>,
}

/// What is read of it.
#[derive(Deserialize)]
struct Known {
    dispatch_id: String,
}

/// A file of dispatches, each once.
pub struct LogFile {
    file: Mutex<File>,
    /// The same file, for whoever waits for what was written to be on the disk.
    disk: File,
    /// What was written: one for what was there, and one for each line.
    written: AtomicU64,
    /// As much of it as is on the disk.
    kept: Mutex<u64>,
}

impl LogFile {
    /// Opens the file, which this process has to itself, and takes off what a crash left half written.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // It has addresses and what people are told.
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        let whole = whole_lines(&mut file)?;
        if whole < file.metadata()?.len() {
            file.set_len(whole)?;
        }
        Ok(Self {
            disk: file.try_clone()?,
            file: Mutex::new(file),
            written: AtomicU64::new(1),
            kept: Mutex::new(0),
        })
    }

    /// Writes a dispatch, durably. One that was tried `before` may be there already: then nothing is written.
    fn write(&self, line: &Line<'_>, before: bool) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(|e| e.into_inner());
        if !(before && is_there(&mut file, line.dispatch_id)?) {
            file.write_all(&text)?;
            self.written.fetch_add(1, Ordering::AcqRel);
        }
        let mine = self.written.load(Ordering::Acquire);
        drop(file);
        // Who waited here while another one had the disk finds its own line kept as well.
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        if *kept < mine {
            let written = self.written.load(Ordering::Acquire);
            self.disk.sync_data()?;
            *kept = written;
        }
        Ok(())
    }
}

/// Sends by every channel into a file.
pub struct LogSender(Arc<LogFile>);

impl LogSender {
    /// Writes into this file.
    pub fn new(file: LogFile) -> Self {
        Self(Arc::new(file))
    }
}

#[async_trait]
impl MessageSender for LogSender {
    fn takes(&self, _: Channel) -> bool {
        true
    }

    async fn send(&self, dispatch: &Dispatch, again: bool) -> Result<Passed, NotPassed> {
        let (file, dispatch) = (Arc::clone(&self.0), dispatch.clone());
        let written = tokio::task::spawn_blocking(move || {
            let content = &dispatch.content;
            let line = Line {
                dispatch_id: &dispatch.id.to_string(),
                workspace: dispatch.workspace.as_str(),
                channel: dispatch.id.channel.as_str(),
                address: dispatch.address.as_deref(),
                subject: content.subject.as_deref(),
                text: content.text.as_deref(),
                html: content.html.as_deref(),
            };
            file.write(&line, again)
        });
        match written.await {
            Ok(Ok(())) => Ok(Passed::default()),
            Ok(Err(error)) => Err(NotPassed::unavailable(error.to_string())),
            Err(_) => Err(NotPassed::unavailable("the file was not written")),
        }
    }
}

/// How long the part of the file is that ends with a line's end.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut at = file.metadata()?.len();
    let mut block = [0; 4096];
    while at > 0 {
        let from = at.saturating_sub(block.len() as u64);
        let length = usize::try_from(at - from).unwrap_or(block.len());
        let Some(part) = block.get_mut(..length) else {
            break;
        };
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(end) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + end as u64 + 1);
        }
        at = from;
    }
    Ok(0)
}

/// Whether a dispatch was written. Reads the file: only what was tried before is looked for.
fn is_there(file: &mut File, dispatch: &str) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    for line in BufReader::new(&mut *file).lines() {
        let known: Known = serde_json::from_str(&line?)?;
        if known.dispatch_id == dispatch {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(dispatch_id: &str) -> Line<'_> {
        Line {
            dispatch_id,
            workspace: "w",
            channel: "sms",
            address: Some("+5511999999999"),
            subject: None,
            text: Some("Hi"),
            html: None,
        }
    }

    #[test]
    fn dispatches_that_are_tried_again_are_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dispatches.ndjson");
        let log = LogFile::open(&path).unwrap();
        log.write(&line("a"), false).unwrap();
        log.write(&line("b"), true).unwrap();
        log.write(&line("a"), true).unwrap();
        let ids: Vec<String> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Known>(line).unwrap().dispatch_id)
            .collect();
        assert_eq!(ids, ["a", "b"]);
    }

    #[test]
    fn many_at_once_are_kept_by_few_waits_for_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dispatches.ndjson");
        let log = LogFile::open(&path).unwrap();
        std::thread::scope(|scope| {
            for first in 0..8 {
                let log = &log;
                scope.spawn(move || {
                    for n in (first..200).step_by(8) {
                        log.write(&line(&n.to_string()), false).unwrap();
                        let kept = *log.kept.lock().unwrap();
                        assert!(kept > 1, "it is on the disk");
                    }
                });
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 200);
        assert_eq!(*log.kept.lock().unwrap(), 201);
    }

    #[test]
    fn half_a_line_is_taken_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dispatches.ndjson");
        for (left, kept) in [
            ("", 0),
            ("{\"dis", 0),
            ("{\"dispatch_id\":\"a\"}\n{\"d", 20),
        ] {
            std::fs::write(&path, left).unwrap();
            LogFile::open(&path).unwrap();
            let length = std::fs::metadata(&path).unwrap().len();
            assert_eq!(length, kept.min(left.len() as u64), "{left}");
        }
        let long = format!("{{\"dispatch_id\":\"a\"}}\n{}", "x".repeat(10_000));
        std::fs::write(&path, long).unwrap();
        let log = LogFile::open(&path).unwrap();
        log.write(&line("a"), true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }
}
