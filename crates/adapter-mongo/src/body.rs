//! The values of a contact as a document whose values can be queried:
//! `{name, phone, phone_valid, email, email_valid, attributes, raw: {document, phone, email}, updated_at}`.
//! What is absent, false or empty is left out.
//!
//! Numbers keep their exact value: whole ones are `long`, those above its range `decimal`, all others
//! `double`. An attribute is found under `b.attributes.<name>`, with `%` written for an empty name, and
//! `%25`, `%2E`, `%00`, `%24` for each `%`, each `.`, each NUL and a leading `$`, which a path would take for
//! its own or BSON cannot hold.

use std::borrow::Cow;

use domain::{
    contact::{ContactBody, RawValues},
    shared::Instant,
};
use mongodb::bson::{
    DateTime, Decimal128, RawDocument, RawDocumentBuf,
    raw::{CStr, RawBsonRef, cstr},
};
use ports::StoreError;
use serde_json::{Map, Number, Value};

const CORRUPT: StoreError = StoreError::Corrupt("the body of a contact");
/// Stands for the empty name: no other name becomes this.
const EMPTY: &str = "%";

/// The document of a body.
///
/// # Errors
/// `Corrupt` for an attribute that is neither text, number nor boolean.
pub fn encode(body: &ContactBody) -> Result<RawDocumentBuf, StoreError> {
    // A field that is not written here does not compile.
    let ContactBody {
        name,
        phone,
        phone_valid,
        email,
        email_valid,
        attributes,
        raw,
        updated_at,
    } = body;
    let mut out = RawDocumentBuf::new();
    text(&mut out, cstr!("name"), name.as_deref());
    text(&mut out, cstr!("phone"), phone.as_deref());
    flag(&mut out, cstr!("phone_valid"), *phone_valid);
    text(&mut out, cstr!("email"), email.as_deref());
    flag(&mut out, cstr!("email_valid"), *email_valid);
    if !attributes.is_empty() {
        let mut values = RawDocumentBuf::new();
        for (name, value) in attributes {
            let name = escaped(name);
            let name = <&CStr>::try_from(&*name).map_err(|_| CORRUPT)?;
            values.append(name, to_bson(value)?);
        }
        out.append(cstr!("attributes"), values);
    }
    if !raw.is_empty() {
        let mut values = RawDocumentBuf::new();
        text(&mut values, cstr!("document"), raw.document.as_deref());
        text(&mut values, cstr!("phone"), raw.phone.as_deref());
        text(&mut values, cstr!("email"), raw.email.as_deref());
        out.append(cstr!("raw"), values);
    }
    let updated_at = DateTime::from_millis(updated_at.timestamp_millis());
    out.append(cstr!("updated_at"), updated_at);
    Ok(out)
}

/// # Errors
/// `Corrupt` where [`encode`] cannot have written the document.
pub(crate) fn decode(document: &RawDocument) -> Result<ContactBody, StoreError> {
    let mut body = ContactBody::default();
    let mut updated_at = None;
    for element in document {
        match element.map_err(|_| CORRUPT)? {
            (key, RawBsonRef::String(text)) => match key.as_str() {
                "name" => body.name = Some(text.to_owned()),
                "phone" => body.phone = Some(text.to_owned()),
                "email" => body.email = Some(text.to_owned()),
                _ => return Err(CORRUPT),
            },
            (key, RawBsonRef::Boolean(flag)) => match key.as_str() {
                "phone_valid" => body.phone_valid = flag,
                "email_valid" => body.email_valid = flag,
                _ => return Err(CORRUPT),
            },
            (key, RawBsonRef::Document(values)) => match key.as_str() {
                "attributes" => body.attributes = attributes(values)?,
                "raw" => body.raw = raw_values(values)?,
                _ => return Err(CORRUPT),
            },
            (key, RawBsonRef::DateTime(at)) if key.as_str() == "updated_at" => {
                updated_at = Instant::from_timestamp_millis(at.timestamp_millis());
            }
            _ => return Err(CORRUPT),
        }
    }
    body.updated_at = updated_at.ok_or(CORRUPT)?;
    Ok(body)
}

fn text(out: &mut RawDocumentBuf, key: &CStr, text: Option<&str>) {
    if let Some(text) = text {
        out.append(key, text);
    }
}

fn flag(out: &mut RawDocumentBuf, key: &CStr, flag: bool) {
    if flag {
        out.append(key, true);
    }
}

fn raw_values(document: &RawDocument) -> Result<RawValues, StoreError> {
    let text = |key: &str| -> Result<Option<String>, StoreError> {
        let found = document.get(key).map_err(|_| CORRUPT)?;
        let text = |value: RawBsonRef<'_>| value.as_str().map(str::to_owned).ok_or(CORRUPT);
        found.map(text).transpose()
    };
    Ok(RawValues {
        document: text("document")?,
        phone: text("phone")?,
        email: text("email")?,
    })
}

fn attributes(document: &RawDocument) -> Result<Map<String, Value>, StoreError> {
    let mut attributes = Map::new();
    for element in document {
        let (name, value) = element.map_err(|_| CORRUPT)?;
        attributes.insert(unescaped(name.as_str()), from_bson(value)?);
    }
    Ok(attributes)
}

fn to_bson(value: &Value) -> Result<RawBsonRef<'_>, StoreError> {
    Ok(match value {
        Value::String(text) => RawBsonRef::String(text),
        Value::Bool(flag) => RawBsonRef::Boolean(*flag),
        Value::Null => RawBsonRef::Null,
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => RawBsonRef::Int64(whole),
            (None, Some(whole), _) => RawBsonRef::Decimal128(decimal(whole)?),
            (None, None, Some(float)) => RawBsonRef::Double(float),
            (None, None, None) => return Err(CORRUPT),
        },
        Value::Array(_) | Value::Object(_) => return Err(CORRUPT),
    })
}

fn decimal(whole: u64) -> Result<Decimal128, StoreError> {
    whole.to_string().parse().map_err(|_| CORRUPT)
}

fn from_bson(value: RawBsonRef<'_>) -> Result<Value, StoreError> {
    let number = match value {
        RawBsonRef::String(text) => return Ok(Value::String(text.to_owned())),
        RawBsonRef::Boolean(flag) => return Ok(Value::Bool(flag)),
        RawBsonRef::Null => return Ok(Value::Null),
        RawBsonRef::Int64(whole) => Some(whole.into()),
        RawBsonRef::Decimal128(whole) => whole.to_string().parse::<u64>().ok().map(Number::from),
        RawBsonRef::Double(float) => Number::from_f64(float),
        _ => None,
    };
    number.map(Value::Number).ok_or(CORRUPT)
}

fn escaped(name: &str) -> Cow<'_, str> {
    match name {
        "" => EMPTY.into(),
        name if name.starts_with('$') || name.contains(['%', '.', '\0']) => {
            let name = name.replace('%', "%25").replace('.', "%2E");
            let name = name.replace('\0', "%00");
            let rest = name.strip_prefix('$').map(|rest| format!("%24{rest}"));
            rest.unwrap_or(name).into()
        }
        name => name.into(),
    }
}

fn unescaped(name: &str) -> String {
    match name {
        EMPTY => String::new(),
        name if name.contains('%') => {
            let name = name.replace("%2E", ".").replace("%24", "$");
            let name = name.replace("%00", "\0");
            name.replace("%25", "%")
        }
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{Document, deserialize_from_slice, doc};
    use serde_json::json;

    use super::*;

    fn round_trip(attributes: Value) -> Document {
        let body = ContactBody {
            attributes: attributes.as_object().unwrap().clone(),
            ..ContactBody::default()
        };
        let encoded = encode(&body).unwrap();
        assert_eq!(decode(&encoded).unwrap(), body);
        let document: Document = deserialize_from_slice(encoded.as_bytes()).unwrap();
        document.get_document("attributes").unwrap().clone()
    }

    #[test]
    fn a_name_with_a_nul_is_kept() {
        let stored = round_trip(json!({ "a\0b": 1, "%00": 2 }));
        assert_eq!(stored, doc! { "a%00b": 1_i64, "%2500": 2_i64 });
    }

    #[test]
    fn values_have_types_of_their_own() {
        let body = ContactBody {
            name: Some("Ana".into()),
            phone: Some("+5511987654321".into()),
            phone_valid: true,
            email: Some("ana@example.com".into()),
            email_valid: true,
            attributes: Map::new(),
            raw: RawValues {
                phone: Some("11 98765-4321".into()),
                ..RawValues::default()
            },
            updated_at: Instant::from_timestamp_millis(1_767_225_600_123).unwrap(),
        };
        let encoded = encode(&body).unwrap();
        assert_eq!(decode(&encoded).unwrap(), body);
        let document: Document = deserialize_from_slice(encoded.as_bytes()).unwrap();
        let expected = doc! {
            "name": "Ana",
            "phone": "+5511987654321",
            "phone_valid": true,
            "email": "ana@example.com",
            "email_valid": true,
            "raw": { "phone": "11 98765-4321" },
            "updated_at": DateTime::from_millis(1_767_225_600_123),
        };
        assert_eq!(document, expected);
    }

    #[test]
    fn numbers_keep_their_exact_value() {
        let document = round_trip(json!({
            "whole": i64::MIN,
            "beyond": u64::MAX,
            "fraction": 0.1,
            "whole_fraction": 7.0,
            "negative_zero": -0.0,
            "huge": f64::MAX,
        }));
        let beyond: Decimal128 = "18446744073709551615".parse().unwrap();
        assert_eq!(document.get_i64("whole").unwrap(), i64::MIN);
        assert_eq!(document.get_decimal128("beyond").unwrap(), &beyond);
        assert_eq!(document.get_f64("whole_fraction").unwrap(), 7.0);
    }

    #[test]
    fn names_that_a_path_would_misread_are_escaped() {
        let document = round_trip(json!({
            "": 1, "%": 2, "$set": 3, "a.b": 4, "a$": 5, "%2E": 6, "$%.": 7, "%25": 8, "é": 9,
        }));
        let names: Vec<&str> = document.keys().map(String::as_str).collect();
        let mut expected = [
            "%",
            "%25",
            "%24set",
            "a%2Eb",
            "a$",
            "%252E",
            "%24%25%2E",
            "%2525",
            "é",
        ];
        expected.sort_unstable();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_nothing_here_wrote_is_corrupt() {
        for document in [
            doc! {},
            doc! { "updated_at": 5_i64 },
            doc! { "updated_at": DateTime::MIN, "other": "text" },
            doc! { "updated_at": DateTime::from_millis(0), "attributes": { "a": [1] } },
            doc! { "updated_at": DateTime::from_millis(0), "attributes": { "a": f64::NAN } },
        ] {
            let raw = RawDocumentBuf::try_from(&document).unwrap();
            assert!(decode(&raw).is_err(), "{document}");
        }
    }
}
