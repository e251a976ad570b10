//! Texts with placeholders: `{{name}}`, `{{attributes.plan|default}}`.

use std::collections::BTreeMap;

/// What people have besides attributes.
const NAMES: [&str; 4] = ["name", "email", "phone", "document"];
/// What the names of attributes begin with.
const ATTRIBUTES: &str = "attributes.";

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("a placeholder is not closed")]
    Open,
    /// A name that nobody has.
    #[error("there is no placeholder {0:?}: name, email, phone, document, or attributes.NAME")]
    Unknown(String),
}

impl TemplateError {
    /// Stable machine-readable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open => "placeholder_not_closed",
            Self::Unknown(_) => "unknown_placeholder",
        }
    }
}

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value {
        name: String,
        default: Option<String>,
    },
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// Where a placeholder is not closed, or has a name that nobody has.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}").ok_or(TemplateError::Open)?;
            let (name, default) = match inside.split_once('|') {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (inside, None),
            };
            let name = name.trim();
            let attribute = name.strip_prefix(ATTRIBUTES);
            if !NAMES.contains(&name) && attribute.is_none_or(str::is_empty) {
                // Names are cut: they are shown, and may be as long as the text.
                return Err(TemplateError::Unknown(name.chars().take(64).collect()));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Value {
                name: name.to_owned(),
                default,
            });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The names of its placeholders, as often as they are there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value { name, .. } => Some(name.as_str()),
        })
    }

    /// The text with the values of a person, each changed by `written`; `None` where one is missing that has no
    /// default.
    pub fn render(
        &self,
        values: &BTreeMap<String, String>,
        written: fn(&str) -> String,
    ) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Value { name, default } => {
                    let value = values.get(name).filter(|value| !value.is_empty());
                    text.push_str(&written(value.or(default.as_ref())?));
                }
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, values: &[(&str, &str)]) -> Option<String> {
        let values = values
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let template = Template::parse(text).unwrap();
        template.render(&values.collect(), str::to_owned)
    }

    #[test]
    fn placeholders_become_values_or_defaults() {
        let ana = [("name", "Ana"), ("attributes.plan", "gold"), ("email", "")];
        for (text, rendered) in [
            ("", ""),
            ("Hi {{name}}!", "Hi Ana!"),
            ("{{ name }}{{attributes.plan|none}}", "Anagold"),
            (
                "{{attributes.debt|0,00}} {{email|no|thing}}",
                "0,00 no|thing",
            ),
            ("{{phone|}}", ""),
            ("}} { {", "}} { {"),
        ] {
            assert_eq!(render(text, &ana).as_deref(), Some(rendered), "{text}");
        }
        assert_eq!(render("Hi {{phone}}", &ana), None);
        assert_eq!(render("{{email}}", &ana), None);
    }

    #[test]
    fn unknown_names_and_open_placeholders_are_refused() {
        let code = |text: &str| Template::parse(text).unwrap_err().code();
        assert_eq!(code("{{nome}}"), "unknown_placeholder");
        assert_eq!(code("{{}}"), "unknown_placeholder");
        assert_eq!(code("{{attributes.}}"), "unknown_placeholder");
        assert_eq!(code("Hi {{name"), "placeholder_not_closed");
        let long = Template::parse(&format!("{{{{{}}}}}", "x".repeat(100_000)));
        assert!(long.unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn values_are_not_read_as_placeholders() {
        assert_eq!(
            render("{{name}}", &[("name", "{{email}}")]).as_deref(),
            Some("{{email}}")
        );
    }
}
