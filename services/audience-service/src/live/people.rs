//! Customers of a batch, as all audiences that look at it share them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{customer::CustomerId, shared::WorkspaceId};
use ports::{
    segments::Member,
    store::{AudienceQueries, CustomerContact},
};
use tokio::sync::Mutex;

use crate::AppResult;

/// Customers who changed.
pub(super) struct People {
    queries: Arc<dyn AudienceQueries>,
    workspace: WorkspaceId,
    /// Their numbers by key. Whoever is registered or changes later is in the queue again.
    numbers: HashMap<String, Vec<i64>>,
    /// Their values, of those who were needed until now.
    contacts: Mutex<HashMap<i64, CustomerContact>>,
}

impl People {
    /// Those of these keys.
    pub async fn of(
        queries: Arc<dyn AudienceQueries>,
        workspace: &WorkspaceId,
        keys: &BTreeSet<&str>,
    ) -> AppResult<Self> {
        let keys: Vec<&str> = keys.iter().copied().collect();
        let mut numbers: HashMap<String, Vec<i64>> = HashMap::new();
        if !keys.is_empty() {
            for (key, id) in queries.numbers_of_keys(workspace, &keys).await? {
                numbers.entry(key).or_default().push(id);
            }
        }
        Ok(Self {
            queries,
            workspace: workspace.clone(),
            numbers,
            contacts: Mutex::default(),
        })
    }

    /// The numbers of those of some of the keys.
    pub fn numbers(&self, keys: &[&str]) -> Vec<i64> {
        let found = keys.iter().filter_map(|key| self.numbers.get(*key));
        found.flatten().copied().collect()
    }

    /// The values of members, by number: as they were resolved, or later ones. None of who was erased since.
    pub async fn contacts<'m>(
        &self,
        members: impl Iterator<Item = &'m Member> + Clone,
    ) -> AppResult<HashMap<i64, CustomerContact>> {
        // One at a time: what the first reads, the others need as well.
        let mut known = self.contacts.lock().await;
        let versions = members.filter_map(|member| Some((member.customer?, member.version)));
        let is_known = |(id, version): &(i64, i64)| {
            let known = known.get(id);
            known.is_some_and(|contact| contact.version == *version)
        };
        let missing = versions.clone().filter(|member| !is_known(member));
        let missing: Vec<CustomerId> = missing.map(|(id, _)| CustomerId::from_raw(id)).collect();
        if !missing.is_empty() {
            for id in &missing {
                known.remove(&id.raw());
            }
            let read = self.queries.contacts_of(&self.workspace, &missing).await?;
            known.extend(read.into_iter().map(|contact| (contact.id.raw(), contact)));
        }
        let found = versions.filter_map(|(id, _)| Some((id, known.get(&id)?.clone())));
        Ok(found.collect())
    }
}
