//! Members as contacts.

use domain::{
    contact::ContactBody, customer::CustomerId, operation::RefreshReport, shared::WorkspaceId,
};
use ports::{
    segments::{Member, ReadMembers},
    store::{AudienceQueries, CustomerContact},
};

use crate::AppResult;

/// The customers that members are, as far as their source does not say who they are.
pub(super) struct Registered(Vec<CustomerContact>);

impl Registered {
    /// Those of some members.
    pub async fn of(
        queries: &dyn AudienceQueries,
        workspace: &WorkspaceId,
        members: &[Member],
    ) -> AppResult<Self> {
        let own = members.iter().filter(|member| member.given.is_none());
        let ids = own.filter_map(|member| member.customer);
        let ids: Vec<CustomerId> = ids.map(CustomerId::from_raw).collect();
        Ok(Self(queries.contacts_of(workspace, &ids).await?))
    }

    /// The values of a member: what its source gives, or what is registered; none of one who was erased since it was
    /// resolved.
    pub fn body(&self, member: &Member) -> Option<ContactBody> {
        if let Some(given) = &member.given {
            return Some((**given).clone());
        }
        let id = CustomerId::from_raw(member.customer?);
        let at = self.0.binary_search_by_key(&id, |contact| contact.id);
        Some(self.0.get(at.ok()?)?.body.clone())
    }
}

/// Adds what reading members came to.
pub(super) fn account(report: &mut RefreshReport, read: ReadMembers) {
    let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
    report.bytes = report.bytes.saturating_add(signed(read.bytes));
    report.unreadable = signed(read.unreadable);
}
