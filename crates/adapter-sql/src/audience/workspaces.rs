//! Settings of workspaces.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    segment::Notation,
    shared::{AudienceId, WorkspaceId},
    workspace::WorkspaceSettings,
};
use ports::{StoreError, store::WorkspaceRepository};

use super::Conn;
use crate::{
    core::{
        error::{changed_one, store},
        types::Json,
    },
    schema::audience::workspaces,
};

/// Settings of one transaction.
pub(super) struct Workspaces<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl WorkspaceRepository for Workspaces<'_> {
    async fn settings(&mut self, workspace: &WorkspaceId) -> Result<WorkspaceSettings, StoreError> {
        settings(self.0, workspace).await
    }

    async fn save(
        &mut self,
        workspace: &WorkspaceId,
        settings: &WorkspaceSettings,
        expected_version: i64,
    ) -> Result<(), StoreError> {
        let sending = serde_json::to_value(&settings.sending)
            .map_err(|error| StoreError::Internal(Box::new(error)))?;
        let sending = Json(sending);
        let values = (
            workspaces::timezone.eq(settings.notation.zone.name()),
            workspaces::locale.eq(settings.notation.locale.as_str()),
            workspaces::excluded_audience.eq(settings.excluded_audience.map(AudienceId::raw)),
            workspaces::version.eq(settings.version),
            workspaces::members_changed_events.eq(settings.member_events),
            workspaces::consent.eq(settings.consent.as_str()),
            workspaces::sending.eq(sending),
        );
        let written = match expected_version {
            0 => {
                diesel::insert_into(workspaces::table)
                    .values((workspaces::workspace.eq(workspace.as_str()), values))
                    .on_conflict_do_nothing()
                    .execute(self.0)
                    .await
            }
            version => {
                diesel::update(workspaces::table.find(workspace.as_str()))
                    .filter(workspaces::version.eq(version))
                    .set(values)
                    .execute(self.0)
                    .await
            }
        };
        written.map_err(store).and_then(changed_one)
    }
}

/// Time zone, locale, excluded audience, version, whether members' changes are published, consent, rules of sending.
type Row = (String, String, Option<i64>, i64, bool, String, Json);

/// What a workspace has decided.
pub(in super::super) async fn settings(
    conn: &mut Conn,
    workspace: &WorkspaceId,
) -> Result<WorkspaceSettings, StoreError> {
    let row: Option<Row> = workspaces::table
        .find(workspace.as_str())
        .select((
            workspaces::timezone,
            workspaces::locale,
            workspaces::excluded_audience,
            workspaces::version,
            workspaces::members_changed_events,
            workspaces::consent,
            workspaces::sending,
        ))
        .first(conn)
        .await
        .optional()
        .map_err(store)?;
    let Some((timezone, locale, excluded, version, member_events, consent, sending)) = row else {
        return Ok(WorkspaceSettings::default());
    };
    let notation = Notation {
        locale: locale
            .parse()
            .map_err(|()| StoreError::Corrupt("locale of a workspace"))?,
        zone: timezone
            .parse()
            .map_err(|_| StoreError::Corrupt("time zone of a workspace"))?,
    };
    Ok(WorkspaceSettings {
        notation,
        excluded_audience: excluded.map(AudienceId::from_raw),
        member_events,
        consent: consent
            .parse()
            .map_err(|()| StoreError::Corrupt("consent rule of a workspace"))?,
        sending: serde_json::from_value(sending.0)
            .map_err(|_| StoreError::Corrupt("rules of sending of a workspace"))?,
        version,
    })
}
