//! A dispatch as an e-mail.

use domain::scheduling::DispatchId;
use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use ports::sending::{Dispatch, NotPassed};

use crate::SetupError;

const LIST_UNSUBSCRIBE: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe");

/// What every e-mail has.
pub(crate) struct Writer {
    from: Mailbox,
    list_unsubscribe: Option<String>,
}

/// An e-mail that is ready.
pub(crate) struct Letter {
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
    /// Its `Message-ID`, without angle brackets.
    pub id: String,
}

impl Letter {
    /// Whether its addresses need nothing of the server.
    pub fn is_ascii(&self) -> bool {
        let mut all = self.envelope.to().iter().chain(self.envelope.from());
        all.all(|address| AsRef::<str>::as_ref(address).is_ascii())
    }
}

impl Writer {
    pub fn new(from: &str, list_unsubscribe: Option<&str>) -> Result<Self, SetupError> {
        let is_url = |url: &&str| {
            let known = url.starts_with("https://") || url.starts_with("mailto:");
            let plain = |b: u8| b.is_ascii_graphic() && !b"<>,".contains(&b);
            known && url.bytes().all(plain)
        };
        if !list_unsubscribe.as_ref().is_none_or(is_url) {
            return Err(SetupError::ListUnsubscribe);
        }
        Ok(Self {
            from: from.parse().map_err(|_| SetupError::From)?,
            list_unsubscribe: list_unsubscribe.map(|url| format!("<{url}>")),
        })
    }

    /// What this side calls itself.
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// The same for a dispatch however often it is sent, so that whoever receives it twice can tell.
    fn id(&self, dispatch: &DispatchId) -> String {
        format!("{dispatch}@{}", self.domain())
    }

    /// Writes an e-mail.
    ///
    /// # Errors
    /// `invalid_address` and `no_content`: it can never be sent.
    pub fn write(&self, dispatch: &Dispatch) -> Result<Letter, NotPassed> {
        let to = dispatch.address.as_deref();
        let to: Address = to
            .and_then(|to| to.parse().ok())
            .ok_or_else(|| NotPassed::refused("invalid_address"))?;
        let id = self.id(&dispatch.id);
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{id}>")));
        let content = dispatch.content.clone();
        if let Some(subject) = content.subject {
            message = message.subject(subject);
        }
        if let Some(url) = &self.list_unsubscribe {
            message = message.raw_header(HeaderValue::new(LIST_UNSUBSCRIBE, url.clone()));
        }
        let message = match (content.text, content.html) {
            (Some(text), Some(html)) => {
                message.multipart(MultiPart::alternative_plain_html(text, html))
            }
            (Some(text), None) => message.singlepart(SinglePart::plain(text)),
            (None, Some(html)) => message.singlepart(SinglePart::html(html)),
            (None, None) => return Err(NotPassed::refused("no_content")),
        };
        let message = message.map_err(|_| NotPassed::refused("invalid_content"))?;
        Ok(Letter {
            envelope: message.envelope().clone(),
            bytes: message.formatted(),
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{scheduling::Content, shared::WorkspaceId};

    use super::*;

    fn dispatch(address: Option<&str>, content: Content) -> Dispatch {
        Dispatch {
            id: "dsp_7.1.email.3".parse().unwrap(),
            workspace: WorkspaceId::parse("w1").unwrap(),
            address: address.map(str::to_owned),
            content,
        }
    }

    fn content(subject: Option<&str>, text: Option<&str>, html: Option<&str>) -> Content {
        Content {
            subject: subject.map(str::to_owned),
            text: text.map(str::to_owned),
            html: html.map(str::to_owned),
        }
    }

    fn written(content: Content) -> String {
        let writer = Writer::new("Notícias <news@example.com>", None).unwrap();
        let letter = writer.write(&dispatch(Some("ana@example.org"), content));
        let letter = letter.ok().unwrap();
        assert_eq!(letter.id, "dsp_7.1.email.3@example.com");
        let to: Vec<String> = letter
            .envelope
            .to()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(to, ["ana@example.org"]);
        String::from_utf8(letter.bytes).unwrap()
    }

    #[test]
    fn text_and_html_are_alternatives_the_text_first() {
        let mail = written(content(Some("Olá"), Some("Hi\nyou"), Some("<p>Hi</p>")));
        assert!(mail.is_ascii(), "needs nothing of the server");
        assert!(mail.contains("Message-ID: <dsp_7.1.email.3@example.com>\r\n"));
        assert!(mail.contains("Content-Type: multipart/alternative"));
        let (text, html) = (mail.find("text/plain"), mail.find("text/html"));
        assert!(text.unwrap() < html.unwrap());
        assert!(mail.contains("Hi\r\nyou"));
        assert!(
            !mail.replace("\r\n", "").contains(['\r', '\n']),
            "no bare ends of lines"
        );
        assert!(!mail.contains("List-Unsubscribe"));
    }

    #[test]
    fn one_part_stands_alone() {
        let text = written(content(None, Some("Hi"), None));
        assert!(text.contains("text/plain") && !text.contains("multipart"));
        assert!(!text.contains("Subject"));
        let html = written(content(None, None, Some("<p>Hi</p>")));
        assert!(html.contains("text/html") && !html.contains("multipart"));
    }

    #[test]
    fn a_subject_adds_no_header() {
        let mail = written(content(Some("Hi\r\nBcc: eve@example.org"), Some("x"), None));
        assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
    }

    #[test]
    fn what_can_never_be_sent_is_refused() {
        let writer = Writer::new("news@example.com", None).unwrap();
        let refused = |address, content| writer.write(&dispatch(address, content)).err().unwrap();
        let invalid = NotPassed::refused("invalid_address");
        for address in [
            None,
            Some(""),
            Some("ana"),
            Some("ana@"),
            Some("a b@example.org"),
            Some("ana@example.org\r\nBcc: eve@example.org"),
            Some("ana@example.org, eve@example.org"),
        ] {
            let content = content(None, Some("x"), None);
            assert_eq!(refused(address, content), invalid, "{address:?}");
        }
        let nothing = refused(Some("ana@example.org"), Content::default());
        assert_eq!(nothing, NotPassed::refused("no_content"));
    }

    #[test]
    fn a_way_out_is_a_header_and_must_be_a_url() {
        for url in ["https://example.com/u?id=1", "mailto:leave@example.com"] {
            let writer = Writer::new("news@example.com", Some(url)).unwrap();
            let mail = dispatch(Some("ana@example.org"), content(None, Some("x"), None));
            let mail = String::from_utf8(writer.write(&mail).ok().unwrap().bytes).unwrap();
            assert!(mail.contains(&format!("List-Unsubscribe: <{url}>\r\n")));
        }
        for url in ["", "example.com", "https://a b", "mailto:a>\r\nBcc: b"] {
            let writer = Writer::new("news@example.com", Some(url));
            assert!(matches!(writer, Err(SetupError::ListUnsubscribe)), "{url}");
        }
        assert!(matches!(Writer::new("news", None), Err(SetupError::From)));
    }
}
