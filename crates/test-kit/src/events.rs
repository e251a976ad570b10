//! Streams of server-sent events.

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::http::PATIENCE;

/// An event of a stream: id, type, data.
pub type Event = (Option<String>, String, Value);

/// A stream of server-sent events.
pub struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) const fn of(response: Response) -> Self {
        Self {
            response,
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` when the stream has ended.
    ///
    /// # Panics
    /// When neither comes in time, or when the stream is cut.
    pub async fn next(&mut self) -> Option<Event> {
        let next = timeout(PATIENCE, self.read()).await;
        next.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Event> {
        let (mut id, mut kind) = (None, String::new());
        loop {
            let line = self.line().await?;
            match line.split_once(':') {
                Some(("id", value)) => id = Some(value.trim().to_owned()),
                Some(("event", value)) => value.trim().clone_into(&mut kind),
                Some(("data", value)) => {
                    let data = serde_json::from_str(value).expect("data in JSON");
                    return Some((id, kind, data));
                }
                _ => {}
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8(line).expect("text"));
            }
            let chunk = self.response.chunk().await.expect("the stream is not cut");
            self.buffer.extend_from_slice(&chunk?);
        }
    }
}
