//! How a client says that its file is to be read: parameters of the query, or fields of the form.

use domain::shared::Violation;
use http_kit::Problem;
use ports::files::{Encoding, FileOptions};
use serde::Deserialize;
use utoipa::IntoParams;

/// The names of all options.
pub const NAMES: [&str; 4] = ["delimiter", "encoding", "header", "sheet"];

/// Takes one option. An empty one is none, as forms send what was not filled in.
///
/// # Errors
/// 422 naming the option.
pub fn set(options: &mut FileOptions, name: &str, given: &str) -> Result<(), Problem> {
    let said = !given.is_empty();
    match name {
        "delimiter" => options.delimiter = delimiter(given)?,
        "encoding" if said => options.encoding = Some(encoding(given)?),
        "header" if said => {
            let parsed = given.parse().map_err(|()| bad_header())?;
            options.header = Some(parsed);
        }
        "encoding" => options.encoding = None,
        "header" => options.header = None,
        "sheet" => options.sheet = said.then(|| given.to_owned()),
        _ => {
            let detail = format!("the form may have the fields {}, and `file`", names());
            return Err(refused("", "unknown_field", &detail));
        }
    }
    Ok(())
}

/// The options as a part of what a request is.
pub fn fingerprint(options: &FileOptions) -> Option<Vec<u8>> {
    let said = *options != FileOptions::default();
    said.then(|| serde_json::to_vec(options).unwrap_or_default())
}

/// A broken rule of the request.
pub fn refused(pointer: &str, code: &'static str, detail: &str) -> Problem {
    Problem::unprocessable(vec![Violation::new(pointer, code, detail)])
}

fn names() -> String {
    NAMES.map(|name| format!("`{name}`")).join(", ")
}

fn delimiter(given: &str) -> Result<Option<u8>, Problem> {
    match given.as_bytes() {
        [] => Ok(None),
        b"tab" => Ok(Some(b'\t')),
        [one] if one.is_ascii() => Ok(Some(*one)),
        _ => {
            let detail = "the delimiter must be one ASCII character, or `tab`";
            Err(refused("/delimiter", "invalid_delimiter", detail))
        }
    }
}

fn encoding(given: &str) -> Result<Encoding, Problem> {
    given.parse().map_err(|()| {
        let detail = "one of utf-8, windows-1252 (or iso-8859-1), utf-16le, utf-16be";
        refused("/encoding", "unknown_encoding", detail)
    })
}

fn bad_header() -> Problem {
    let detail = "`true`, `false`, or the number of the row that names the columns, from 1";
    refused("/header", "invalid_header", detail)
}

/// What a request without a form says of its file.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileParameters {
    /// Name of the file, where the body is the file itself.
    pub file_name: Option<String>,
    /// One ASCII character, or `tab`; found in the file where absent.
    pub delimiter: Option<String>,
    /// `utf-8`, `windows-1252`, `utf-16le` or `utf-16be`; found in the file where absent.
    pub encoding: Option<String>,
    /// Whether the first row names the columns (`true`, `false`), or the number of the row that does;
    /// found in the file where absent. Rows before it are left out.
    pub header: Option<String>,
    /// Name of the sheet of XLSX; the first visible one that has rows where absent.
    pub sheet: Option<String>,
}

impl FileParameters {
    /// How the file is to be read.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn options(&self) -> Result<FileOptions, Problem> {
        let given = [&self.delimiter, &self.encoding, &self.header, &self.sheet];
        let mut said = FileOptions::default();
        for (name, given) in NAMES.into_iter().zip(given) {
            set(&mut said, name, given.as_deref().unwrap_or_default())?;
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use ports::files::Header;

    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<FileOptions, Problem> {
        let mut options = FileOptions::default();
        for (name, given) in pairs {
            set(&mut options, name, given)?;
        }
        Ok(options)
    }

    #[test]
    fn options_are_read_and_empty_ones_are_none() {
        let said = options(&[
            ("delimiter", "tab"),
            ("encoding", "Latin1"),
            ("header", "3"),
            ("sheet", "Plan 2"),
        ]);
        let expected = FileOptions {
            delimiter: Some(b'\t'),
            encoding: Some(Encoding::Windows1252),
            header: "3".parse().ok(),
            sheet: Some("Plan 2".to_owned()),
        };
        assert_eq!(said.unwrap(), expected);
        assert!(fingerprint(&expected).is_some());
        let none = NAMES.map(|name| (name, ""));
        assert_eq!(options(&none).unwrap(), FileOptions::default());
        let no_header = options(&[("header", "false")]).unwrap().header;
        assert_eq!(no_header, Some(Header::Present(false)));
    }

    #[test]
    fn a_wrong_option_is_named() {
        for (name, given) in [
            ("delimiter", "ab"),
            ("delimiter", "é"),
            ("encoding", "klingon"),
            ("header", "0"),
            ("header", "yes"),
            ("header", "-1"),
            ("other", "1"),
        ] {
            assert!(options(&[(name, given)]).is_err(), "{name}={given}");
        }
    }
}
