//! Names of stored files.

use super::FileError;

const MAX_NAME_BYTES: usize = 200;

/// Accepts `[a-z0-9_.-]+` segments separated by `/`, at most 200 bytes in all.
///
/// A segment does not start with a dot, so there is no `.`, `..` or hidden file. Stores put a `~`
/// into the names of files that are still being written, which no valid name has.
///
/// # Errors
/// [`FileError::InvalidName`].
pub fn check_name(name: &str) -> Result<(), FileError> {
    let valid = name.len() <= MAX_NAME_BYTES && name.split('/').all(is_segment);
    valid.then_some(()).ok_or(FileError::InvalidName)
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('.')
        && segment
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn accepts_folders_and_refuses_traversal() {
        for name in ["a", "uploads/0193-ab.csv", "w_1/op-2/sorted.v1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(201);
        for name in [
            "",
            "/",
            "/etc",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "a/.hidden",
            "A",
            "a b",
            "a\\b",
            "é",
            "a\0",
            "x~1",
            &long,
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
