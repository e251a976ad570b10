//! Prints the AsyncAPI document of the events: `make asyncapi` keeps it in `proto/asyncapi.json`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what was built compiles, and objects that are made here take members"
)]

use std::{collections::BTreeMap, path::Path};

use domain::customer::Channel;
use events::{MESSAGES, REQUIRED_SUBSCRIBERS, routed_by, routing_key};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use serde_json::{Value, json};

const PACKAGE: &str = ".plateia.events.v1.";
const TIMESTAMP: &str = ".google.protobuf.Timestamp";

fn main() {
    print!("{}", text());
}

/// The document as it is kept.
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// What may come to whoever listens to the exchange of events.
fn document() -> Value {
    let schemas = schemas();
    let (mut channels, mut operations) = (BTreeMap::new(), BTreeMap::new());
    let mut messages = BTreeMap::new();
    for (event_type, message) in MESSAGES {
        channels.insert(*message, channel(event_type, message));
        operations.insert(*message, operation(event_type, message));
        messages.insert(*message, envelope(event_type, message, &schemas));
    }
    let info = json!({
        "title": "Events of Plateia",
        "version": "1",
        "description": "CloudEvents 1.0 in structured JSON mode, with proto3 JSON data. Addresses are routing keys of the topic exchange; docs/EVENTS.md says how events are delivered.",
    });
    json!({
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": events::Envelope::<events::v1::OperationFinished>::CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn channel(event_type: &str, message: &str) -> Value {
    let key = routing_key(event_type);
    let mut channel = json!({
        "address": key,
        "messages": { message: { "$ref": format!("#/components/messages/{message}") } },
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": { "name": "plateia.events", "type": "topic", "durable": true },
        } },
    });
    if let Some(member) = routed_by(event_type) {
        let values: Vec<&str> = Channel::ALL.iter().map(|value| value.as_str()).collect();
        channel["address"] = json!(format!("{key}.{{{member}}}"));
        channel["parameters"] = json!({ member: {
            "enum": values,
            "location": format!("$message.payload#/data/{member}"),
        } });
    }
    channel
}

fn operation(event_type: &str, message: &str) -> Value {
    let listens = REQUIRED_SUBSCRIBERS
        .iter()
        .filter(|(t, _)| *t == event_type);
    let subscribers: Vec<&str> = listens.map(|(_, subscriber)| *subscriber).collect();
    let mut operation = json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{message}") },
    });
    if !subscribers.is_empty() {
        operation["x-required-subscribers"] = json!(subscribers);
    }
    operation
}

fn envelope(event_type: &str, message: &str, schemas: &BTreeMap<String, Value>) -> Value {
    let text = json!({ "type": "string" });
    let properties = json!({
        "specversion": { "const": "1.0" },
        "id": text,
        "source": text,
        "type": { "const": event_type },
        "subject": text,
        "time": { "type": "string", "format": "date-time" },
        "datacontenttype": { "const": "application/json" },
        "workspace": text,
        "aggregateversion": int64(),
        "traceparent": text,
        "data": { "$ref": format!("#/components/schemas/{message}") },
    });
    let names = properties.as_object().into_iter().flatten();
    let required: Vec<&String> = names
        .map(|(name, _)| name)
        .filter(|name| *name != "traceparent")
        .collect();
    json!({
        "name": event_type,
        "title": message,
        "summary": schemas.get(message).and_then(|schema| schema.get("description")),
        "payload": { "type": "object", "required": required, "properties": properties },
    })
}

/// A number that JSON cannot hold.
fn int64() -> Value {
    json!({ "type": "string", "pattern": "^-?[0-9]+$" })
}

/// Every message of the package, as it is written in JSON.
fn schemas() -> BTreeMap<String, Value> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto"));
    let files = ["audience", "importing", "operation", "scheduling"]
        .map(|name| root.join(format!("plateia/events/v1/{name}.proto")));
    let compiled = protox::compile(files, [root]).expect("what was built compiles");
    let own = compiled
        .file
        .iter()
        .filter(|file| PACKAGE.contains(file.package()));
    own.flat_map(|file| {
        let messages = (0..).zip(&file.message_type);
        messages.map(|(at, message)| (message.name().to_owned(), schema(file, at, message)))
    })
    .collect()
}

fn schema(file: &FileDescriptorProto, at: i32, message: &DescriptorProto) -> Value {
    let members: BTreeMap<&str, Value> = (0..)
        .zip(&message.field)
        .map(|(number, field)| {
            let mut member = member(message, field);
            if let Some(text) = comment(file, &[4, at, 2, number]) {
                member["description"] = json!(text);
            }
            (field.json_name(), member)
        })
        .collect();
    let mut schema = json!({ "type": "object", "properties": members });
    if let Some(text) = comment(file, &[4, at]) {
        schema["description"] = json!(text);
    }
    schema
}

/// What is said of something in the file.
fn comment(file: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let locations = &file.source_code_info.as_ref()?.location;
    let of = locations.iter().find(|location| location.path == path)?;
    let words: Vec<&str> = of.leading_comments().split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn member(message: &DescriptorProto, field: &FieldDescriptorProto) -> Value {
    let name = field.type_name().rsplit('.').next().unwrap_or_default();
    let entries = message.nested_type.iter().find(|nested| {
        nested.name() == name && nested.options.as_ref().is_some_and(|o| o.map_entry())
    });
    if let Some(value) = entries.and_then(|entry| entry.field.last()) {
        return json!({ "type": "object", "additionalProperties": one(value) });
    }
    if field.label() == Label::Repeated {
        return json!({ "type": "array", "items": one(field) });
    }
    one(field)
}

fn one(field: &FieldDescriptorProto) -> Value {
    match field.r#type() {
        Type::String => json!({ "type": "string" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Int32 => json!({ "type": "integer" }),
        Type::Int64 => int64(),
        Type::Message if field.type_name() == TIMESTAMP => {
            json!({ "type": "string", "format": "date-time" })
        }
        Type::Message if field.type_name().starts_with(PACKAGE) => {
            let name = field.type_name().trim_start_matches(PACKAGE);
            json!({ "$ref": format!("#/components/schemas/{name}") })
        }
        other => panic!("how is {other:?} written in JSON?"),
    }
}
