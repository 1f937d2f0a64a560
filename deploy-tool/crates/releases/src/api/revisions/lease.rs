//! Edge: the revision that is being made: renewed while its process lives, and written to its end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

use super::{is_conflict, secrets_of};
use crate::FIELD_MANAGER;
use crate::release::record::{self, DATA_KEY, RENEWED_ANNOTATION, STATE_LABEL};
use crate::release::{Identity, Name, Revision, SILENCE_LIMIT, State};
use cluster::client::{Cluster, explain};
use cluster::retry_rule::is_lost_connection;
use diagnostics::code;
use diagnostics::{Error, Result};

/// Interval of the heartbeats.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(5);
/// The work pauses after this time without a heartbeat: before others may consider the holder dead.
const LONGEST_SILENCE: Duration = Duration::from_secs(SILENCE_LIMIT.as_secs() - 4);

/// How long the API server may be away, as while its node restarts, until the deployment is given up.
const LONGEST_ABSENCE: Duration = Duration::from_secs(5 * 60);

/// The revision of this process. It is a lock: while it is pending and renewed, no other process begins a revision.
pub struct ReleaseLease<'a> {
    cluster: &'a Cluster,
    release: Name,
    revision: Revision,
    completed: RefCell<BTreeSet<Identity>>,
    version: RefCell<String>,
    /// When the last request was sent that has renewed it.
    renewed: Cell<Instant>,
}

impl<'a> ReleaseLease<'a> {
    pub(super) fn new(cluster: &'a Cluster, release: &Name, revision: Revision, version: String) -> Self {
        Self {
            cluster,
            release: release.clone(),
            completed: RefCell::new(revision.completed.clone()),
            revision,
            version: RefCell::new(version),
            renewed: Cell::new(Instant::now()),
        }
    }

    /// The same, on the version of the Secret that the server has.
    pub(super) fn with_version(self, version: String) -> Self {
        self.version.replace(version);
        self
    }

    /// The revision as it was begun.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Runs the work of the deployment while renewing the lease. The work is paused while renewals fail for too long, as
    /// another process may take over the release then.
    ///
    /// # Errors
    /// Those of the work; or that another process has taken over, upon which the work is cancelled.
    pub async fn hold_during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return result,
                end = self.renew_until_silent() => match end {
                    Renewal::Lost(failure) => return Err(failure),
                    Renewal::Refused(cause) => return Err(self.explain_loss(&cause)),
                    Renewal::NoAnswer(_) => self.await_renewal().await?,
                },
            }
        }
    }

    /// Renews the lease until renewals fail for too long. Returns the last failure.
    async fn renew_until_silent(&self) -> Renewal {
        let start = Instant::now() + RENEWAL_INTERVAL;
        let mut ticks = tokio::time::interval_at(start, RENEWAL_INTERVAL);
        let mut last_failure = Renewal::NoAnswer("the API server has not answered in time".to_owned());
        loop {
            let attempt = async {
                ticks.tick().await;
                self.renew().await
            };
            match tokio::time::timeout_at(self.renewed.get() + LONGEST_SILENCE, attempt).await {
                Ok(Ok(())) => {}
                Ok(Err(lost @ Renewal::Lost(_))) => return lost,
                // The next attempt may succeed.
                Ok(Err(failed)) => last_failure = failed,
                Err(_) => return last_failure,
            }
        }
    }

    /// Waits until a renewal succeeds again.
    async fn await_renewal(&self) -> Result<()> {
        let give_up = Instant::now() + LONGEST_ABSENCE;
        loop {
            match self.renew().await {
                Ok(()) => return Ok(()),
                Err(Renewal::Lost(failure)) => return Err(failure),
                Err(Renewal::Refused(cause) | Renewal::NoAnswer(cause)) if Instant::now() > give_up => {
                    return Err(Error::cluster(self.task()).cause(cause).hint(
                        "when the API server is back, run the same command again: it continues from what is there",
                    ));
                }
                Err(_) => tokio::time::sleep(RENEWAL_INTERVAL).await,
            }
        }
    }

    async fn renew(&self) -> Result<(), Renewal> {
        let Err(error) = self.send_renewal().await? else {
            return Ok(());
        };
        if !is_conflict(&error) {
            return Err(Renewal::from_error(&error));
        }
        // The version is stale, as after a renewal whose answer was lost: nothing was written, so it is sent once more.
        self.verify_written(&self.revision)
            .await
            .map_err(Renewal::from_failure)?;
        match self.send_renewal().await? {
            Ok(()) => Ok(()),
            Err(error) if is_conflict(&error) => Err(Renewal::NoAnswer("the record changes all the time".to_owned())),
            Err(error) => Err(Renewal::from_error(&error)),
        }
    }

    async fn send_renewal(&self) -> Result<kube::Result<()>, Renewal> {
        // Others count from the time in the annotation, not from the answer.
        let sent = Instant::now();
        let patch = json!({"metadata": {
            "resourceVersion": *self.version.borrow(),
            "annotations": {RENEWED_ANNOTATION: self.cluster.now().to_string()},
        }});
        let name = record::secret_name(&self.release, self.revision.number);
        let (api, parameters) = (self.api(), patch_parameters());
        let patch = Patch::Merge(&patch);
        let answer = self
            .cluster
            .answer(&self.task(), api.patch_metadata(&name, &parameters, &patch))
            .await
            .map_err(|failure| Renewal::NoAnswer(failure.to_string()))?;
        Ok(answer.map(|stored| {
            self.version
                .replace(stored.metadata.resource_version.unwrap_or_default());
            self.renewed.set(sent);
        }))
    }

    /// Records that a Job has succeeded, before the deployment ends: a later run must not run it again.
    ///
    /// # Errors
    /// When another process has taken over the release, or the server refuses.
    pub async fn complete(&self, job: Identity) -> Result<()> {
        self.completed.borrow_mut().insert(job);
        let revision = Revision {
            completed: self.completed.borrow().clone(),
            ..self.revision.clone()
        };
        match self.write(&revision).await? {
            Ok(()) => Ok(()),
            Err(error) if is_conflict(&error) || is_lost_connection(&error) => {
                self.verify_written(&revision).await?;
                self.write(&revision)
                    .await?
                    .map_err(|error| self.explain_refusal(&error))
            }
            Err(error) => Err(self.explain_refusal(&error)),
        }
    }

    /// Records the result of the deployment and the inventory of the release.
    ///
    /// # Errors
    /// When another process has taken over the release, or the server refuses.
    pub async fn finish(
        &self,
        state: State,
        message: &str,
        inventory: BTreeSet<Identity>,
        kept: BTreeSet<Identity>,
    ) -> Result<Revision> {
        let revision = Revision {
            state,
            message: message.to_owned(),
            finished: Some(self.cluster.now()),
            inventory,
            kept,
            completed: self.completed.borrow().clone(),
            ..self.revision.clone()
        };
        match self.write(&revision).await? {
            Ok(()) => {}
            // The answer to a renewal may have been lost with the work that was given up: its version is unknown then.
            // The answer to this very write may have been lost as well: then it is there already.
            Err(error) if is_conflict(&error) || is_lost_connection(&error) => {
                if !self.verify_written(&revision).await? {
                    self.write(&revision)
                        .await?
                        .map_err(|error| self.explain_refusal(&error))?;
                }
            }
            Err(error) => return Err(self.explain_refusal(&error)),
        }
        Ok(revision)
    }

    pub(super) async fn write(&self, revision: &Revision) -> Result<kube::Result<()>> {
        let patch = json!({
            "metadata": {
                "resourceVersion": *self.version.borrow(),
                "labels": {STATE_LABEL: revision.state.to_string()},
            },
            "data": {DATA_KEY: ByteString(record::compress_revision(revision)?)},
        });
        let name = record::secret_name(&self.release, revision.number);
        let (api, parameters) = (self.api(), patch_parameters());
        let patch = Patch::Merge(&patch);
        let answer = self
            .cluster
            .answer(&self.task(), api.patch(&name, &parameters, &patch))
            .await?;
        Ok(answer.map(|stored| {
            _ = self
                .version
                .replace(stored.metadata.resource_version.unwrap_or_default())
        }))
    }

    /// Whether the write has succeeded though its answer was lost. If not, the revision must still be pending and held by this
    /// process; then the write continues from its newest resource version.
    async fn verify_written(&self, written: &Revision) -> Result<bool> {
        let name = record::secret_name(&self.release, self.revision.number);
        let found = self.cluster.call(&self.task(), self.api().get_opt(&name)).await?;
        let Some(found) = found else {
            return Err(self.explain_loss(&format!("Secret `{name}` was deleted")));
        };
        let found = record::record(&found)?;
        let (state, is_ours) = (found.revision.state, found.revision.deployer == self.revision.deployer);
        // Only the holder marks it as deployed: the write has succeeded, and its answer was lost.
        let is_end = state == State::Deployed;
        let is_there = is_ours && (is_end || state == written.state && found.revision.finished == written.finished);
        if is_there {
            self.version.replace(found.version);
            return Ok(true);
        }
        if !is_ours || state != State::Pending {
            return Err(self.explain_loss(&format!(
                "another deployment has marked revision {} as {state}",
                self.revision.number
            )));
        }
        self.version.replace(found.version);
        Ok(false)
    }

    pub(super) fn api(&self) -> Api<Secret> {
        secrets_of(self.cluster, &self.release)
    }

    pub(super) fn task(&self) -> String {
        format!(
            "cannot record revision {} of release {}",
            self.revision.number, self.release
        )
    }

    pub(super) fn explain_refusal(&self, error: &kube::Error) -> Error {
        Error::cluster(self.task()).cause(explain(error))
    }

    fn explain_loss(&self, cause: &dyn std::fmt::Display) -> Error {
        Error::busy(format!("this deployment has lost release {}", self.release))
            .code(&code::release::LOST)
            .cause(cause)
            .hint("look who else deploys: `deploy-tool history`; then run the same command again")
    }
}

/// Why it is not renewed.
enum Renewal {
    /// The API server is not there, or cannot answer.
    NoAnswer(String),
    /// The server refuses this attempt; a later one may succeed.
    Refused(String),
    /// Another process has taken over the release, or its record cannot be read any more.
    Lost(Error),
}

impl Renewal {
    fn from_error(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code < 500 && status.code != 429 => Self::Refused(explain(error)),
            _ => Self::NoAnswer(explain(error)),
        }
    }

    /// That of a record that was read back.
    fn from_failure(failure: Error) -> Self {
        match failure.number() {
            Some(number) if [&code::release::LOST, &code::release::UNREADABLE_REVISION].contains(&number) => {
                Self::Lost(failure)
            }
            _ => Self::NoAnswer(failure.to_string()),
        }
    }
}

fn patch_parameters() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}
