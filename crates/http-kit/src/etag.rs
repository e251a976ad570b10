//! Entity tags of versioned resources, and `If-Match`.

use actix_web::http::header::{HeaderMap, HeaderValue, IF_MATCH};

use crate::Problem;

/// The strong tag of a version.
pub fn strong(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"v{version}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What the client expects the resource to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing was said.
    Absent,
    /// `*`: it exists, in any version.
    Any,
    /// One of these versions. Weak and foreign tags match none and are left out.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// Reads every `If-Match` header.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        if !headers.contains_key(IF_MATCH) {
            return Self::Absent;
        }
        let values = headers
            .get_all(IF_MATCH)
            .filter_map(|value| value.to_str().ok());
        let tags = values.flat_map(|value| value.split(',')).map(str::trim);
        let mut versions = Vec::new();
        for tag in tags {
            if tag == "*" {
                return Self::Any;
            }
            let quoted = tag
                .strip_prefix("\"v")
                .and_then(|tag| tag.strip_suffix('"'));
            versions.extend(quoted.and_then(|version| version.parse::<i64>().ok()));
        }
        Self::Versions(versions)
    }

    /// Whether a resource in this version is the expected one.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::Absent | Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }

    /// Lets a resource in this version pass; the version, where the client named one.
    ///
    /// # Errors
    /// 412 when it is not the expected one.
    pub fn expect(&self, version: i64) -> Result<Option<i64>, Problem> {
        self.check(version)?;
        Ok((*self != Self::Absent).then_some(version))
    }

    /// Lets a resource in this version pass.
    ///
    /// # Errors
    /// 412 when it is not the expected one.
    pub fn check(&self, version: i64) -> Result<(), Problem> {
        if self.allows(version) {
            Ok(())
        } else {
            Err(Problem::stale())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(values: &[&'static str]) -> IfMatch {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, HeaderValue::from_static(value));
        }
        IfMatch::from_headers(&headers)
    }

    #[test]
    fn only_the_strong_tag_of_the_version_matches() {
        assert_eq!(strong(7), "\"v7\"");
        for (values, allowed) in [
            (&[][..], true),
            (&["*"], true),
            (&["\"v7\""], true),
            (&["\"v6\", \"v7\""], true),
            (&["\"v6\"", "\"v7\""], true),
            (&["W/\"v7\""], false),
            (&["\"v6\""], false),
            (&["v7"], false),
            (&["\"7\""], false),
            (&[""], false),
        ] {
            assert_eq!(sent(values).allows(7), allowed, "{values:?}");
        }
        assert_eq!(
            sent(&["\"v6\""]).check(7).map_err(|p| p.status().as_u16()),
            Err(412)
        );
    }
}
