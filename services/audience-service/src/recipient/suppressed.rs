//! Leaves out who is suppressed, whatever is sent.

use std::collections::HashSet;

use domain::{
    contact::Document,
    customer::Channel,
    scheduling::SkipReason,
    shared::WorkspaceId,
    suppression::{Suppressed, SuppressedHash},
};
use events::v1::{ResolvedRecipient, Route};
use ports::{StoreError, store::AudienceQueries};

use crate::suppression::Hashes;

/// Skips routes whose address is suppressed, and all routes of recipients whose document is: one query for a
/// part. `documents` are those of the recipients, in their order.
pub async fn leave_out(
    (queries, hashes): (&dyn AudienceQueries, &Hashes),
    workspace: &WorkspaceId,
    recipients: &mut [ResolvedRecipient],
    documents: &[Option<Document>],
) -> Result<(), StoreError> {
    let hash = |who: &Suppressed| hashes.of(workspace, who);
    let person = |document: &Option<Document>| {
        let document = document.as_ref();
        document.map(|document| hash(&Suppressed::document(document)))
    };
    let people: Vec<Option<SuppressedHash>> = documents.iter().map(person).collect();
    let reached = |route: &Route| address(route).map(|address| hash(&address));
    let asked: HashSet<SuppressedHash> = recipients
        .iter()
        .zip(&people)
        .flat_map(|(recipient, person)| {
            let routes = recipient.routes.iter().filter_map(reached);
            routes.chain(person.clone())
        })
        .collect();
    let asked: Vec<SuppressedHash> = asked.into_iter().collect();
    let found = queries.suppressed_among(workspace, &asked).await?;
    let found: HashSet<SuppressedHash> = found.into_iter().map(|one| one.who).collect();
    if found.is_empty() {
        return Ok(());
    }
    for (recipient, person) in recipients.iter_mut().zip(&people) {
        let is_found = person.as_ref().is_some_and(|person| found.contains(person));
        for route in &mut recipient.routes {
            let suppressed = |address| is_found || found.contains(&address);
            if reached(route).is_some_and(suppressed) {
                route.address = None;
                route.skipped = Some(SkipReason::Suppressed.to_string());
            }
        }
    }
    Ok(())
}

/// What a route leads to, where it leads anywhere.
fn address(route: &Route) -> Option<Suppressed> {
    let address = route.address.as_deref()?;
    match route.channel.parse().ok()? {
        Channel::Email => Some(Suppressed::email(address)),
        Channel::Sms | Channel::Whatsapp | Channel::Voice => Some(Suppressed::phone(address)),
        Channel::Push => None,
    }
}
