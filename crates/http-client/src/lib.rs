//! Requests to servers outside: a client that follows no redirect, and answers of bounded size and time.

mod cause;
pub mod headers;

use std::time::Duration;

pub use cause::{Cause, causes};
use reqwest::{Client, ClientBuilder, Response, redirect::Policy};

/// Time limits of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Longest silence while an answer comes.
    pub idle: Duration,
    /// Until an answer is there in whole.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            answer: Duration::from_secs(60),
        }
    }
}

/// A client that sends each request once, to where it says.
pub fn builder(timeouts: &Timeouts) -> ClientBuilder {
    // An error says that one is installed already: all of them are this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent("plateia")
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.idle)
        .timeout(timeouts.answer)
}

/// Why there is no body.
#[derive(Debug)]
pub enum NoBody {
    /// It has more bytes than are read.
    TooLarge,
    /// It ended early.
    Lost(reqwest::Error),
}

/// The body, of at most so many bytes.
///
/// # Errors
/// When it is larger, or did not arrive.
pub async fn body(mut answer: Response, largest: usize) -> Result<Vec<u8>, NoBody> {
    if answer.content_length().unwrap_or(0) > largest as u64 {
        return Err(NoBody::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(NoBody::Lost)? {
        if body.len() + piece.len() > largest {
            return Err(NoBody::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
