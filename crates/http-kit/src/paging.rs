//! Parameters of lists.

use domain::shared::Violation;
use serde::Deserialize;
use utoipa::IntoParams;

/// Items of a page where the request does not say.
pub const DEFAULT_LIMIT: u32 = 100;
/// Most items of a page.
pub const MAX_LIMIT: u32 = 1000;
/// Highest page number.
pub const MAX_PAGE: u32 = i32::MAX.unsigned_abs();

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// 1 to 1000, 100 as a rule.
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// `limit`: 1 to 1000, 100 where absent.
///
/// # Errors
/// When it is anything else.
pub fn limit(raw: Option<&str>) -> Result<u32, Violation> {
    bounded("limit", raw, DEFAULT_LIMIT, MAX_LIMIT)
}

/// `page`: 1 to 2147483647, 1 where absent.
///
/// # Errors
/// When it is anything else.
pub fn page(raw: Option<&str>) -> Result<u32, Violation> {
    bounded("page", raw, 1, MAX_PAGE)
}

/// `per_page`: 1 to 1000, 100 where absent.
///
/// # Errors
/// When it is anything else.
pub fn per_page(raw: Option<&str>) -> Result<u32, Violation> {
    bounded("per_page", raw, DEFAULT_LIMIT, MAX_LIMIT)
}

/// A whole number from 1 to `max` in plain decimal digits.
///
/// # Errors
/// When it is anything else; the violation points to the parameter.
pub fn bounded(name: &str, raw: Option<&str>, default: u32, max: u32) -> Result<u32, Violation> {
    let Some(raw) = raw else { return Ok(default) };
    let digits = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| raw.parse().ok()).flatten();
    number
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| {
            let detail = format!("{name} must be a whole number from 1 to {max}.");
            Violation::new(format!("/{name}"), "out_of_range", detail)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_bounded_and_named() {
        assert_eq!(limit(None), Ok(100));
        assert_eq!(limit(Some("1000")), Ok(1000));
        assert_eq!(page(None), Ok(1));
        assert_eq!(page(Some("2147483647")), Ok(2_147_483_647));
        assert_eq!(per_page(Some("7")), Ok(7));
        for bad in [
            "",
            "0",
            "-1",
            "+1",
            "1.0",
            " 1",
            "1001",
            "99999999999",
            "x",
            "１",
        ] {
            let broken = limit(Some(bad)).unwrap_err();
            assert_eq!(
                (broken.pointer.as_str(), broken.code),
                ("/limit", "out_of_range"),
                "{bad}"
            );
        }
        assert_eq!(page(Some("2147483648")).unwrap_err().pointer, "/page");
        assert_eq!(per_page(Some("0")).unwrap_err().pointer, "/per_page");
    }
}
