//! Settings of workspaces.

use std::sync::Arc;

use domain::{
    segment::{Locale, Notation},
    shared::AudienceId,
    workspace::{
        ConsentRule, FrequencyCap, QuietWindow, SendingRules, TimeZone, WorkspaceSettings,
    },
};
use ports::{
    StoreError,
    store::{AudienceQueries, AudienceStore, Durability},
};

use crate::{Actor, AppError, AppResult, audience::ready};

/// New settings. Absent members stay as they are.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// Where days are.
    pub zone: Option<TimeZone>,
    /// How numbers and dates are written.
    pub locale: Option<Locale>,
    /// What lists may leave out, or nothing.
    pub excluded_audience: Option<Option<AudienceId>>,
    /// Whether events are published of who enters and leaves segments.
    pub member_events: Option<bool>,
    /// Who may be sent marketing.
    pub consent: Option<ConsentRule>,
    /// When nothing is sent.
    pub quiet_hours: Option<Vec<QuietWindow>>,
    /// How often a person is written to, or as often as there is something.
    pub frequency_cap: Option<Option<FrequencyCap>>,
}

impl SettingsChange {
    /// Every setting: what was not said is what it is by default.
    #[must_use]
    pub fn of_all(self) -> Self {
        let default = WorkspaceSettings::default();
        Self {
            zone: self.zone.or(Some(default.notation.zone)),
            locale: self.locale.or(Some(default.notation.locale)),
            excluded_audience: self.excluded_audience.or(Some(default.excluded_audience)),
            member_events: self.member_events.or(Some(default.member_events)),
            consent: self.consent.or(Some(default.consent)),
            quiet_hours: self.quiet_hours.or(Some(default.sending.quiet_hours)),
            frequency_cap: self.frequency_cap.or(Some(default.sending.frequency_cap)),
        }
    }

    fn over(self, before: &WorkspaceSettings) -> WorkspaceSettings {
        let Notation { locale, zone } = before.notation;
        WorkspaceSettings {
            notation: Notation {
                locale: self.locale.unwrap_or(locale),
                zone: self.zone.unwrap_or(zone),
            },
            excluded_audience: self.excluded_audience.unwrap_or(before.excluded_audience),
            member_events: self.member_events.unwrap_or(before.member_events),
            consent: self.consent.unwrap_or(before.consent),
            sending: SendingRules {
                quiet_hours: self
                    .quiet_hours
                    .unwrap_or_else(|| before.sending.quiet_hours.clone()),
                frequency_cap: self.frequency_cap.unwrap_or(before.sending.frequency_cap),
            },
            version: before.version,
        }
    }
}

/// Reads and changes settings.
#[derive(Clone)]
pub struct Workspaces {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
}

impl Workspaces {
    /// What holds now.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "workspace.settings", skip_all)]
    pub async fn settings(&self, actor: &Actor) -> AppResult<WorkspaceSettings> {
        Ok(self.queries.workspace_settings(&actor.workspace).await?)
    }

    /// Changes settings. With `if_version`, only that version. Forms of values are stored in the notation that
    /// a workspace has, which does not change once there are customers.
    ///
    /// # Errors
    /// `PreconditionFailed`; `Invalid` with `unknown_audience`, or what is wrong with the rules of sending; `Conflict` with `workspace_has_customers`; store
    /// errors.
    #[tracing::instrument(name = "workspace.change", skip_all)]
    pub async fn change(
        &self,
        actor: &Actor,
        if_version: Option<i64>,
        change: SettingsChange,
    ) -> AppResult<WorkspaceSettings> {
        let workspace = &actor.workspace;
        let mut uow = self.store.begin(Durability::Full).await?;
        // Nobody adds customers before this is committed.
        let customers = uow.customers().count(workspace).await?;
        let before = uow.workspaces().settings(workspace).await?;
        if if_version.is_some_and(|version| version != before.version) {
            return Err(AppError::PreconditionFailed);
        }
        let mut settings = change.over(&before);
        if settings == before {
            return Ok(before);
        }
        let broken = settings.sending.violations();
        if !broken.is_empty() {
            return Err(AppError::Invalid(broken));
        }
        if settings.notation != before.notation && customers > 0 {
            let detail = "time zone and locale change only while there are no customers";
            return Err(AppError::conflict("workspace_has_customers", detail));
        }
        if let Some(id) = settings.excluded_audience
            && settings.excluded_audience != before.excluded_audience
        {
            let found = match ready(uow.as_mut(), actor, id).await {
                Err(AppError::NotFound) => None,
                found => Some(found?),
            };
            if found.is_none_or(|audience| audience.deleted_at.is_some()) {
                let at = "/excluded_audience_id";
                let detail = "there is no such audience";
                return Err(AppError::invalid(at, "unknown_audience", detail));
            }
        }
        settings.version = before.version + 1;
        let saved = uow
            .workspaces()
            .save(workspace, &settings, before.version)
            .await;
        saved.map_err(|error| match error {
            // Somebody else was quicker: the same request may succeed.
            StoreError::StaleVersion => {
                StoreError::Unavailable("the settings have changed meanwhile".into())
            }
            error => error,
        })?;
        uow.commit().await?;
        Ok(settings)
    }
}
