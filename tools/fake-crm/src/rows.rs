//! The rows as JSON, computed from the seed and their number.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::list::Entry;

const STATUSES: [&str; 3] = ["open", "pending", "closed"];
const COLOURS: [&str; 4] = ["#0b7285", "#5f3dc4", "#e67700", "#2b8a3e"];
const TAGS: u64 = 20;

/// A number that looks random, the same for the same input on every machine.
pub const fn mix(seed: u64, stream: u64, number: u64) -> u64 {
    let mut z = seed
        ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ number.wrapping_mul(0xD605_1B56_7D4C_3E25);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

pub fn instant(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A number as it is sent.
fn id(number: u64, as_string: bool) -> Value {
    if as_string {
        json!(number.to_string())
    } else {
        json!(number)
    }
}

pub fn ticket_uuid(seed: u64, row: u64) -> String {
    let (a, b) = (mix(seed, 1, row), mix(seed, 2, row));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 52,
        // The row itself, so that a request tells which ticket it means.
        row
    )
}

/// The row of a ticket by its id.
pub fn ticket_row(seed: u64, uuid: &str) -> Option<u64> {
    let row = u64::from_str_radix(uuid.rsplit('-').next()?, 16).ok()?;
    (ticket_uuid(seed, row) == uuid).then_some(row)
}

pub fn ticket(seed: u64, entry: Entry, contacts: u64, as_string: bool) -> Value {
    let Entry { row, version, at } = entry;
    let draw = mix(seed, 3, row);
    let created = at - 3_600_000 - i64::from(version) * 1_000;
    let status = pick(&STATUSES, draw.wrapping_add(u64::from(version)));
    let contact = draw.checked_rem(contacts).unwrap_or(0);
    json!({
        "uuid": ticket_uuid(seed, row),
        "status": status,
        "createdAt": instant(created),
        "updatedAt": instant(at),
        "isGroup": false,
        "companyId": 1,
        "contact": {
            "id": id(contact_id(contact), as_string),
            "name": format!("Contato {contact}"),
            "number": number(seed, contact),
            "email": null,
        },
        "ticketTrakings": [{
            "id": id(row * 2 + 1, as_string),
            "createdAt": instant(created),
            "startedAt": instant(created + 60_000),
            "finishedAt": if status == "closed" { json!(instant(at)) } else { Value::Null },
            "user": {"id": id(draw % 7 + 1, as_string), "name": format!("Atendente {}", draw % 7)},
        }],
    })
}

pub fn message(seed: u64, ticket: u64, entry: Entry, as_string: bool) -> Value {
    let Entry { row, version, at } = entry;
    let draw = mix(seed, 4, ticket << 16 ^ row);
    let media = draw.is_multiple_of(10);
    let edited = if version > 0 {
        format!(" ({version})")
    } else {
        String::new()
    };
    json!({
        "id": id(ticket * 1_000_000 + row + 1, as_string),
        "body": format!("Mensagem {row} do ticket {ticket}{edited}"),
        "fromMe": draw.is_multiple_of(2),
        "mediaUrl": if media { json!(format!("https://media.example/{draw:x}")) } else { Value::Null },
        "mediaType": if media { "image" } else { "chat" },
        "ticketId": id(ticket + 1, as_string),
        "createdAt": instant(at - i64::from(version)),
        "updatedAt": instant(at),
    })
}

pub fn contact(seed: u64, entry: Entry, as_string: bool) -> Value {
    let Entry { row, version, at } = entry;
    let draw = mix(seed, 5, row);
    let tags: Vec<Value> = (0..draw % 4)
        .map(|n| (draw >> 8).wrapping_add(n + u64::from(version)) % TAGS)
        .map(|tag| {
            json!({
                "id": id(tag + 1, as_string),
                "name": format!("Etiqueta {tag}"),
                "color": pick(&COLOURS, tag),
                "companyId": 1,
            })
        })
        .collect();
    let edited = if version > 0 {
        format!(" ({version})")
    } else {
        String::new()
    };
    json!({
        "id": id(contact_id(row), as_string),
        "companyId": 1,
        "name": format!("Contato {row}{edited}"),
        "number": number(seed, row),
        "email": if draw.is_multiple_of(3) { json!(format!("contato{row}@example.com")) } else { Value::Null },
        "isGroup": row % 50 == 49,
        "socialConnectionId": 1,
        "createdAt": instant(at - 86_400_000),
        "updatedAt": instant(at),
        "tags": tags,
    })
}

const fn contact_id(row: u64) -> u64 {
    row + 1
}

fn number(seed: u64, contact: u64) -> String {
    let area = 11 + mix(seed, 6, contact) % 9;
    format!("55{area}9{:08}", contact % 100_000_000)
}

fn pick<'a>(choices: &[&'a str], draw: u64) -> &'a str {
    let at = draw.checked_rem(choices.len() as u64).unwrap_or(0) as usize;
    choices.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_found_by_its_id_and_by_no_other() {
        for row in [0, 1, 999_999, 1 << 40] {
            assert_eq!(ticket_row(7, &ticket_uuid(7, row)), Some(row));
            assert_eq!(ticket_row(8, &ticket_uuid(7, row)), None);
        }
        assert_eq!(ticket_row(7, "x"), None);
    }
}
