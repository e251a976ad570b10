//! Numbers of the Brazilian plan, by their digits alone.

/// The national number that these digits dial within Brazil: as they are, or after `0` or `90`
/// (collect call) and, if it is there, the two digits of a carrier.
pub(super) fn national(digits: &str) -> Option<String> {
    let trunk = |prefix: &str| {
        let rest = digits.strip_prefix(prefix)?;
        let carried = || match rest.len() {
            12 | 13 => subscriber(rest.get(2..)?),
            _ => None,
        };
        subscriber(rest).or_else(carried)
    };
    subscriber(digits)
        .or_else(|| trunk("0"))
        .or_else(|| trunk("90"))
}

/// A valid national number. One of a mobile with eight digits is from before 2016: it gets the 9 that
/// all mobiles have had since.
fn subscriber(digits: &str) -> Option<String> {
    let (area, local) = digits.split_at_checked(2)?;
    let whole = match (digits.len(), local.as_bytes().first()?) {
        (11, b'9') => is_area(area),
        (10, b'2'..=b'5') if is_area(area) => true,
        (10, b'6'..=b'9') if is_area(area) => return Some(format!("{area}9{local}")),
        (8..=10, _) => is_without_area(digits),
        _ => false,
    };
    whole.then(|| digits.to_owned())
}

fn is_area(area: &str) -> bool {
    match area.as_bytes() {
        [b'1' | b'4' | b'6' | b'8' | b'9', b'1'..=b'9'] => true,
        [b'2', last] => matches!(last, b'1' | b'2' | b'4' | b'7' | b'8'),
        [b'3', last] => matches!(last, b'1'..=b'5' | b'7' | b'8'),
        [b'5', last] => matches!(last, b'1' | b'3'..=b'5'),
        [b'7', last] => matches!(last, b'1' | b'3'..=b'5' | b'7' | b'9'),
        _ => false,
    }
}

/// Numbers that are the same in the whole country: free of charge, of shared cost, of higher rates.
fn is_without_area(digits: &str) -> bool {
    let begins = |codes: &[&str]| codes.iter().any(|code| digits.starts_with(code));
    match digits.len() {
        10 => begins(&["800", "300", "303", "500", "900"]),
        9 => begins(&["800", "500", "900"]),
        8 => begins(&["400", "4020", "4370", "4864", "300"]),
        _ => false,
    }
}
