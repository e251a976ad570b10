//! One audience that several write into at the same time.

use std::sync::Arc;

use api_types::{
    audiences::{CreatedJson, NewAudience},
    contacts::{NewContacts, WrittenJson},
};
use rand::Rng;
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Shape,
    client::{Caller, Target},
};
use crate::history::{Claim, Command, Contact, Effect, History};

/// Writers at a time.
const WRITERS: usize = 3;

/// Contacts as a client sends them.
pub fn items(contacts: &[Contact]) -> Vec<Value> {
    let item = |(document, name): &Contact| json!({ "document": document, "name": name });
    contacts.iter().map(item).collect()
}

/// What a report of written contacts claims.
pub fn wrote(inserted: i64, updated: i64) -> Claim {
    Claim {
        changed: u64::try_from(inserted).ok(),
        replaced: u64::try_from(updated).ok(),
        ..Claim::default()
    }
}

/// Creates the audience and writes until `stop`.
pub async fn write_together(
    target: &Arc<Target>,
    workspace: &str,
    shape: Shape,
    history: &Arc<History>,
    stop: &CancellationToken,
) {
    let caller = Caller::new(Arc::clone(target), workspace, "together");
    let body = NewAudience {
        name: "Together".to_owned(),
        ..NewAudience::default()
    };
    let request = caller.json("POST", "/api/v1/audiences", "together", &body);
    let made = caller.command(&request, history, 0).await;
    let id = match made.and_then(|made| made.read::<CreatedJson>()) {
        Ok(made) => made.audience.id,
        Err(error) => return history.anomaly(format!("{error:#}")),
    };
    history.acknowledged(Command {
        audience: id.clone(),
        writer: "maker".to_owned(),
        effect: Effect::Create {
            workspace: workspace.to_owned(),
            contacts: Vec::new(),
        },
        claim: Claim::default(),
    });
    let writers = (0..WRITERS).map(|writer| {
        let caller = Caller::new(Arc::clone(target), workspace, "together");
        write(
            caller,
            id.clone(),
            format!("writer{writer}"),
            shape,
            history,
            stop,
        )
    });
    futures::future::join_all(writers).await;
}

async fn write(
    caller: Caller,
    audience: String,
    writer: String,
    shape: Shape,
    history: &History,
    stop: &CancellationToken,
) {
    let path = format!("/api/v1/audiences/{audience}/contacts");
    let mut round = 0;
    while !stop.is_cancelled() {
        round += 1;
        let contact = |n: usize| {
            let document = format!("{}-T{n:05}", caller.workspace.to_uppercase());
            (document, format!("{writer} {round}"))
        };
        let first = rand::rng().random_range(0..shape.contacts);
        let contacts: Vec<Contact> = (first..first + 40).map(contact).collect();
        let body = NewContacts {
            data: items(&contacts),
            ..NewContacts::default()
        };
        let request = caller.json("POST", &path, &format!("{writer}-{round}"), &body);
        let answer = caller.command(&request, history, shape.abandon).await;
        let report = answer.and_then(|a| Ok((a.read::<WrittenJson>()?, a.repeated)));
        match report {
            Ok((written, repeated)) => history.acknowledged(Command {
                audience: audience.clone(),
                writer: writer.clone(),
                effect: Effect::Write { contacts },
                claim: Claim {
                    repeated,
                    ..wrote(written.inserted, written.updated)
                },
            }),
            Err(error) => history.anomaly(format!("{error:#}")),
        }
        sleep(shape.pause * 3).await;
    }
}
