//! What is said, on each channel.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Template, TemplateError};
use crate::{customer::Channel, shared::Violation};

/// Longest text in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// Longest subject in characters.
const MAX_SUBJECT_CHARS: usize = 998;

/// What is said. Channels without a variant say the text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Said where a variant has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Said where a variant has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is said otherwise on a channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<Channel, Variant>,
}

/// What is said on one channel.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// What one person is told on a channel. Personal: it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Subject.
    pub subject: Option<String>,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
}

impl Message {
    /// What is wrong with it for some channels: pointers begin at the message.
    pub fn violations(&self, channels: &BTreeSet<Channel>) -> Vec<Violation> {
        let mut found = Vec::new();
        let variants = self.variants.iter().flat_map(|(channel, variant)| {
            let of = |name: &str| format!("/variants/{channel}/{name}");
            [
                (of("subject"), &variant.subject),
                (of("text"), &variant.text),
                (of("html"), &variant.html),
            ]
        });
        let own = [
            ("/text".to_owned(), &self.text),
            ("/subject".to_owned(), &self.subject),
        ];
        for (pointer, text) in own.into_iter().chain(variants) {
            if let Some(text) = text {
                found.extend(violation(pointer, text));
            }
        }
        for channel in channels {
            if self.on(*channel).is_none() {
                let detail = format!("there is nothing to say on {channel}");
                let pointer = match channels.len() {
                    1 => "/text".to_owned(),
                    _ => format!("/variants/{channel}"),
                };
                found.push(Violation::new(pointer, "no_content", detail));
            }
        }
        found
    }

    /// What is said on a channel; `None` where nothing is.
    fn on(&self, channel: Channel) -> Option<Variant> {
        let variant = self.variants.get(&channel).cloned().unwrap_or_default();
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let own = said(variant.text.clone()).is_some() || said(variant.html.clone()).is_some();
        let text = match own {
            true => said(variant.text),
            false => said(self.text.clone()),
        };
        let variant = Variant {
            subject: said(variant.subject).or_else(|| said(self.subject.clone())),
            text,
            html: said(variant.html),
        };
        (variant.text.is_some() || variant.html.is_some()).then_some(variant)
    }

    /// The placeholders of what is said on some channels.
    ///
    /// # Errors
    /// Where a text is no template.
    pub fn names(&self, channels: &BTreeSet<Channel>) -> Result<BTreeSet<String>, TemplateError> {
        let mut names = BTreeSet::new();
        for variant in channels.iter().filter_map(|channel| self.on(*channel)) {
            let texts = [variant.subject, variant.text, variant.html];
            for text in texts.iter().flatten() {
                names.extend(Template::parse(text)?.names().map(str::to_owned));
            }
        }
        Ok(names)
    }

    /// What is ready to be said on a channel; `None` where nothing is.
    ///
    /// # Errors
    /// Where a text is no template.
    pub fn compile(&self, channel: Channel) -> Result<Option<Compiled>, TemplateError> {
        let Some(variant) = self.on(channel) else {
            return Ok(None);
        };
        let parse = |text: Option<String>| text.map(|text| Template::parse(&text)).transpose();
        Ok(Some(Compiled {
            subject: parse(variant.subject)?,
            text: parse(variant.text)?,
            html: parse(variant.html)?,
        }))
    }
}

/// What is said on a channel, read once for many people.
pub struct Compiled {
    subject: Option<Template>,
    text: Option<Template>,
    html: Option<Template>,
}

impl Compiled {
    /// What one person is told; `None` where a value is missing that has no default.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Option<Content> {
        let render = |template: &Option<Template>, written: fn(&str) -> String| match template {
            None => Some(None),
            Some(template) => template.render(values, written).map(Some),
        };
        Some(Content {
            // Line breaks would begin another header.
            subject: render(&self.subject, one_line)?,
            text: render(&self.text, str::to_owned)?,
            html: render(&self.html, escaped)?,
        })
    }
}

fn one_line(value: &str) -> String {
    value.replace(char::is_control, " ")
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            c => text.push(c),
        }
    }
    text
}

fn violation(pointer: String, text: &str) -> Option<Violation> {
    let is_subject = pointer.ends_with("/subject");
    if text.len() > MAX_BYTES || is_subject && text.chars().count() > MAX_SUBJECT_CHARS {
        let detail = match is_subject {
            true => format!("longer than {MAX_SUBJECT_CHARS} characters"),
            false => format!("longer than {MAX_BYTES} bytes"),
        };
        return Some(Violation::new(pointer, "too_long", detail));
    }
    if text.contains('\0') {
        let detail = "there is a character that no store keeps";
        return Some(Violation::new(pointer, "control_character", detail));
    }
    if is_subject && text.chars().any(char::is_control) {
        return Some(Violation::new(
            pointer,
            "control_character",
            "a subject is one line",
        ));
    }
    let error = Template::parse(text).err()?;
    Some(Violation::new(pointer, error.code(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: serde_json::Value) -> Message {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn variants_say_otherwise_and_fall_back() {
        let message = message(serde_json::json!({"text": "t {{name}}", "subject": "s",
            "variants": {"email": {"html": "<b>{{name}}</b>"}, "sms": {"text": "short"}}}));
        let values = BTreeMap::from([("name".to_owned(), "A<b>\n".to_owned())]);
        let said = |channel| {
            let compiled = message.compile(channel).unwrap().unwrap();
            let content = compiled.render(&values).unwrap();
            (content.subject.unwrap(), content.text, content.html)
        };
        let text = |text: &str| Some(text.to_owned());
        let html = text("<b>A&lt;b&gt;\n</b>");
        assert_eq!(said(Channel::Email), ("s".to_owned(), None, html));
        assert_eq!(said(Channel::Sms).1, text("short"));
        assert_eq!(said(Channel::Whatsapp).1, text("t A<b>\n"));
    }

    #[test]
    fn what_cannot_be_said_is_named() {
        let channels = BTreeSet::from([Channel::Email, Channel::Sms]);
        let codes = |json| {
            let found = message(json).violations(&channels);
            let found = found
                .into_iter()
                .map(|v| format!("{} {}", v.pointer, v.code));
            found.collect::<Vec<_>>()
        };
        assert_eq!(
            codes(serde_json::json!({"variants": {"email": {"text": " "}}})),
            ["/variants/email no_content", "/variants/sms no_content"]
        );
        assert_eq!(
            codes(serde_json::json!({"text": "{{nome}}"})),
            ["/text unknown_placeholder"]
        );
        assert_eq!(
            codes(serde_json::json!({"text": "a\0b"})),
            ["/text control_character"]
        );
        let long = "x".repeat(1_000_000);
        assert_eq!(codes(serde_json::json!({"text": long})), ["/text too_long"]);
        assert_eq!(
            codes(serde_json::json!({"text": "t", "subject": "a\nBcc: b"})),
            ["/subject control_character"]
        );
    }
}
