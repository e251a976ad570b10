//! The members of a row.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use domain::{
    importing::{ExternalId, Fault, Personal},
    shared::{Instant, number_text},
};
use serde_json::{Map, Value};

/// Numbers from here on are milliseconds, below they are seconds: 1973 or 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads members by name, and remembers which, so that the rest can be kept as it came. `null` is
/// the same as absent.
#[derive(Debug)]
pub struct Fields<'a> {
    members: &'a Map<String, Value>,
    parent: String,
    read: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub const fn new(members: &'a Map<String, Value>) -> Self {
        Self {
            members,
            parent: String::new(),
            read: Vec::new(),
        }
    }

    fn fault(&self, name: &str, code: &'static str) -> Fault {
        Fault::new(format!("{}{name}", self.parent), code)
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.read.push(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub fn id(&mut self, name: &'static str) -> Result<ExternalId, Fault> {
        self.optional_id(name)?
            .ok_or_else(|| self.fault(name, "missing"))
    }

    pub fn optional_id(&mut self, name: &'static str) -> Result<Option<ExternalId>, Fault> {
        self.get(name)
            .map(|value| ExternalId::parse(value).map_err(|code| self.fault(name, code)))
            .transpose()
    }

    /// A text; numbers are taken as they are written. NUL, which no database keeps, is replaced.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => {
                Ok(Some(text.replace('\0', "\u{fffd}")))
            }
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number_text(number))),
            Some(_) => Err(self.fault(name, "not_a_text")),
        }
    }

    pub fn personal(&mut self, name: &'static str) -> Result<Option<Personal>, Fault> {
        Ok(self.text(name)?.map(Personal::new))
    }

    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::Number(n)) if n.as_i64() == Some(0) => Ok(Some(false)),
            Some(Value::Number(n)) if n.as_i64() == Some(1) => Ok(Some(true)),
            Some(Value::String(text)) if text == "true" || text == "1" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" || text == "0" => Ok(Some(false)),
            Some(_) => Err(self.fault(name, "not_a_boolean")),
        }
    }

    /// An instant in RFC 3339; without a zone it is UTC; or seconds or milliseconds since 1970.
    pub fn instant(&mut self, name: &'static str) -> Result<Option<Instant>, Fault> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let read = match value {
            Value::String(text) => text_instant(text.trim()),
            Value::Number(number) => number.as_i64().and_then(|number| {
                if number.abs() >= MILLISECONDS_FROM {
                    DateTime::from_timestamp_millis(number)
                } else {
                    DateTime::from_timestamp(number, 0)
                }
            }),
            _ => None,
        };
        // Beyond these no two databases agree, and no CRM has a reason to be.
        read.filter(|at| (0..=253_402_300_799).contains(&at.timestamp()))
            .map(|at| Some(at.trunc_subsecs(3)))
            .ok_or_else(|| self.fault(name, "not_an_instant"))
    }

    pub fn list(&mut self, name: &'static str) -> Result<Option<Vec<Value>>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items.clone())),
            Some(_) => Err(self.fault(name, "not_a_list")),
        }
    }

    /// The members of an object inside, whose faults name this parent.
    pub fn inside(&mut self, name: &'static str) -> Result<Option<Self>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self {
                parent: format!("{}{name}.", self.parent),
                ..Fields::new(members)
            })),
            Some(_) => Err(self.fault(name, "not_an_object")),
        }
    }

    /// A fault of the row for lack of this member.
    pub fn missing(&self, name: &str) -> Fault {
        self.fault(name, "missing")
    }

    /// The members that were not asked for.
    pub fn rest(&self) -> Map<String, Value> {
        self.members
            .iter()
            .filter(|(name, _)| !self.read.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

fn text_instant(text: &str) -> Option<Instant> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    let plain = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|at| at.and_utc())
    };
    zoned.ok().or_else(plain)
}
