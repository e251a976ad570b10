//! The log sender: a file with a line for each dispatch, for development.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Mutex},
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
pub struct LogFile(Mutex<File>);

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
        Ok(Self(Mutex::new(file)))
    }

    /// Writes a dispatch, durably. One that was tried `before` may be there already: then nothing is written.
    fn write(&self, line: &Line<'_>, before: bool) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if before && is_there(&mut file, line.dispatch_id)? {
            return Ok(());
        }
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_data()
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
