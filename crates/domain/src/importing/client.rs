//! Clients: whose CRM is imported, from where, and how fast.

use std::fmt;

use crate::shared::IdError;

/// Why a value cannot be a client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Not `http://` or `https://`, a host, an optional port and path.
    #[error("must be an absolute http or https URL")]
    NotAUrl,
    /// User name or password inside the URL.
    #[error("the URL must not carry a user name or password")]
    Credentials,
    /// A query or a fragment, which paths are appended to.
    #[error("the URL must have neither query nor fragment")]
    QueryOrFragment,
    /// Longer than 2,048 bytes.
    #[error("the URL is longer than 2048 bytes")]
    TooLong,
    /// Outside 1 to 60,000.
    #[error("must be from 1 to 60000 requests a minute")]
    Rate,
    /// Empty, longer than 4,096 bytes, or with characters that no header can carry.
    #[error("the token must be 1 to 4096 visible ASCII characters")]
    Token,
}

/// A client's name in URLs, `[a-z0-9-]{1,64}`, unique over the installation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientSlug(String);

impl ClientSlug {
    /// Parses the text.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or has another character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(IdError { kind: "client" });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the CRM answers: scheme and host in lower case, without default port and trailing slash, so
/// that two ways to write one address share a budget. Whether it may be reached is not decided here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Parses and normalises a URL.
    ///
    /// # Errors
    /// When it is no absolute HTTP URL, or has parts that a base must not have.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let text = text.trim();
        if text.len() > 2048 {
            return Err(ClientError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(ClientError::NotAUrl)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(ClientError::NotAUrl),
        };
        if rest.contains(['?', '#']) {
            return Err(ClientError::QueryOrFragment);
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| {
            rest.split_at_checked(at).unwrap_or((rest, ""))
        });
        if authority.contains('@') {
            return Err(ClientError::Credentials);
        }
        let (host, port) = split_port(authority)?;
        let visible = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '<' | '>' | '"');
        if !path.chars().all(visible) || path.split('/').any(|part| part == "..") {
            return Err(ClientError::NotAUrl);
        }
        let port = port
            .filter(|port| *port != default_port)
            .map_or_else(String::new, |port| format!(":{port}"));
        let path = path.trim_end_matches('/');
        let host = host.to_ascii_lowercase();
        Ok(Self(format!("{scheme}://{host}{port}{path}")))
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), ClientError> {
    let end = if authority.starts_with('[') {
        authority.find(']').map(|at| at + 1)
    } else {
        authority.find(':').or(Some(authority.len()))
    };
    let (host, port) = end
        .and_then(|end| authority.split_at_checked(end))
        .ok_or(ClientError::NotAUrl)?;
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let valid = match inner {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    };
    if !valid {
        return Err(ClientError::NotAUrl);
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, None)),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            let port: u16 = digits.parse().map_err(|_| ClientError::NotAUrl)?;
            Ok((host, Some(port)))
        }
        _ => Err(ClientError::NotAUrl),
    }
}

/// How many requests may start in any 60 seconds: 1 to 60,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestsPerMinute(u32);

impl RequestsPerMinute {
    /// Most requests a minute.
    pub const MAX: u32 = 60_000;

    /// Takes a number from outside.
    ///
    /// # Errors
    /// When it is 0 or above [`Self::MAX`].
    pub fn new(number: i64) -> Result<Self, ClientError> {
        u32::try_from(number)
            .ok()
            .filter(|n| (1..=Self::MAX).contains(n))
            .map(Self)
            .ok_or(ClientError::Rate)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The secret that the CRM asks for in `api-key`. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken(String);

impl ApiToken {
    /// What is shown in place of a token. Sent back it means the token that is there.
    pub const MASK: &str = "********";

    /// Parses a token: trimmed, visible ASCII.
    ///
    /// # Errors
    /// When it is empty, too long, the mask, or has another character.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let text = text.trim();
        let masked = text == Self::MASK;
        if text.is_empty()
            || masked
            || text.len() > 4096
            || !text.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(ClientError::Token);
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself, for the request's header and for encryption.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiToken({})", Self::MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_mean_the_same_are_equal_and_odd_ones_refused() {
        let text = |s: &str| BaseUrl::parse(s).map(|url| url.0);
        for same in ["https://CRM.example/api", "HTTPS://crm.example:443/api//"] {
            assert_eq!(text(same), Ok("https://crm.example/api".to_owned()));
        }
        assert_eq!(
            text("http://[::1]:8080"),
            Ok("http://[::1]:8080".to_owned())
        );
        for (bad, why) in [
            ("crm.example", ClientError::NotAUrl),
            ("ftp://crm.example", ClientError::NotAUrl),
            ("https://", ClientError::NotAUrl),
            ("https://crm.example:99999", ClientError::NotAUrl),
            ("https://crm.example:+80", ClientError::NotAUrl),
            ("https://a b", ClientError::NotAUrl),
            ("https://a/../b", ClientError::NotAUrl),
            ("https://me:pw@crm.example", ClientError::Credentials),
            ("https://crm.example?x=1", ClientError::QueryOrFragment),
        ] {
            assert_eq!(text(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn slugs_rates_and_tokens_are_bounded() {
        assert!(ClientSlug::parse("meu-cliente-1").is_ok());
        for bad in ["", "Meu", "a_b", "a b", &"x".repeat(65)] {
            assert!(ClientSlug::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(RequestsPerMinute::new(60_000).map(|n| n.get()), Ok(60_000));
        for bad in [0, -1, 60_001, i64::MAX] {
            assert_eq!(RequestsPerMinute::new(bad), Err(ClientError::Rate));
        }
        let token = ApiToken::parse(" s3cret ").unwrap();
        assert_eq!(token.reveal(), "s3cret");
        assert!(!format!("{token:?}").contains("s3cret"));
        assert!(ApiToken::parse("a\nb").is_err());
    }
}
