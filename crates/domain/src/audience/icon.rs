//! The picture of an audience.

/// Longest icon in characters.
pub const MAX_ICON_CHARS: usize = 2048;

/// The text is no URL that a picture can be loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https URL of at most 2048 characters")]
pub struct IconError;

/// An absolute `http` or `https` URL, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon(String);

impl Icon {
    /// Checks a URL and keeps it as it is.
    ///
    /// # Errors
    /// When it is no such URL, or too long.
    pub fn parse(text: &str) -> Result<Self, IconError> {
        // The parser would take away what is no part of a URL, and repair what is missing.
        let whole = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let is_web =
            |scheme: &str| matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
        let fits = text.chars().nth(MAX_ICON_CHARS).is_none();
        match whole && fits && scheme.is_some_and(is_web) && url::Url::parse(text).is_ok() {
            true => Ok(Self(text.to_owned())),
            false => Err(IconError),
        }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_an_absolute_web_url_as_it_was_given() {
        let long = format!("https://a.example/{}", "ã".repeat(2030));
        for good in [
            "http://a.example",
            "HTTPS://Cdn.Example:8443/i.png?v=1#x",
            "https://café.example/ícone.svg",
            "http://[::1]/i",
            &long,
        ] {
            assert_eq!(Icon::parse(good).as_ref().map(Icon::as_str), Ok(good));
        }
        for bad in [
            "",
            "URL",
            "a.example/i.png",
            "/i.png",
            "ftp://a.example/i",
            "javascript://a.example/%0aalert(1)",
            "data:image/png;base64,AAAA",
            "http:a.example",
            "http://",
            "https://a b.example",
            " https://a.example",
            "https://a.example/\n",
            "https://a.example/\0",
            &format!("{long}i"),
        ] {
            assert_eq!(Icon::parse(bad), Err(IconError), "{bad:?}");
        }
    }
}
