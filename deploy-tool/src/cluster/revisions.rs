//! Edge: the revisions of a release, kept as Secrets in its namespace; and the one that is being made, which is the lock.
//!
//! Every write says which version of the Secret it has read: of two deployers, one is refused.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;
use tokio::time::Instant;

use super::client::{Cluster, explain};
use crate::code;
use crate::failure::{Failure, Outcome};
use crate::release::record::{self, DATA_KEY, RELEASE_LABEL, RENEWED_ANNOTATION, SECRET_TYPE, STATE_LABEL};
use crate::release::{Deployer, History, Identity, Name, Record, Revision, SILENCE_LIMIT, State, Turn};
use crate::resend::is_lost_connection;
use crate::settings::FIELD_MANAGER;

/// A revision may be 1 MiB large: so many come in one answer.
const PAGE: u32 = 20;
/// How often the deployer says that it is alive.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(5);
/// It stops before others may take it for gone.
const LONGEST_SILENCE: Duration = Duration::from_secs(SILENCE_LIMIT.as_secs() - 4);

/// The revisions of a release.
///
/// # Errors
/// When the server does not answer, or a revision cannot be read.
pub async fn history(cluster: &Cluster, release: &Name) -> Outcome<History> {
    let what = format!("cannot read the revisions of release {release}");
    let labels = format!("{RELEASE_LABEL}={}", release.name);
    let secrets = secrets(&what, cluster, secrets_of(cluster, release), &labels).await?;
    let records = secrets.iter().map(record::record).collect::<Outcome<Vec<_>>>()?;
    Ok(History::new(records))
}

/// What other releases of the cluster own; nothing when this user may not read all namespaces.
///
/// # Errors
/// When the server does not answer, or a revision cannot be read.
pub async fn owned_by_others(cluster: &Cluster, release: &Name) -> Outcome<Option<BTreeSet<Identity>>> {
    let what = "cannot read the revisions of other releases";
    let parameters = parameters(RELEASE_LABEL).limit(1);
    let api: Api<Secret> = Api::all(cluster.client.clone());
    if let Err(kube::Error::Api(status)) = cluster.answer(what, api.list_metadata(&parameters)).await?
        && status.code == 403
    {
        return Ok(None);
    }
    let mut releases = std::collections::BTreeMap::<Name, Vec<Record>>::new();
    for secret in secrets(what, cluster, api, RELEASE_LABEL).await? {
        let labels = secret.metadata.labels.as_ref();
        let name = Name {
            namespace: secret.metadata.namespace.clone().unwrap_or_default(),
            name: labels
                .and_then(|labels| labels.get(RELEASE_LABEL).cloned())
                .unwrap_or_default(),
        };
        if name != *release {
            releases.entry(name).or_default().push(record::record(&secret)?);
        }
    }
    Ok(Some(
        releases
            .into_values()
            .flat_map(|records| History::new(records).inventory())
            .collect(),
    ))
}

/// Deletes the records of some revisions, these and no others that have their numbers by now.
///
/// # Errors
/// When the server refuses.
pub async fn forget<'r>(
    cluster: &Cluster,
    release: &Name,
    records: impl IntoIterator<Item = &'r Record>,
) -> Outcome<()> {
    let api = secrets_of(cluster, release);
    for record in records {
        let number = record.revision.number;
        let what = format!("cannot delete the record of revision {number} of release {release}");
        let name = record::secret_name(release, number);
        let this_one = Preconditions {
            uid: Some(record.uid.clone()),
            resource_version: None,
        };
        let parameters = DeleteParams::default().preconditions(this_one);
        match cluster.answer(&what, api.delete(&name, &parameters)).await? {
            // Gone already is as good.
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(Failure::cluster(what).because(explain(&error))),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// The revision that this process makes. As long as it is pending and renewed, nobody else begins one.
pub struct Held<'a> {
    cluster: &'a Cluster,
    release: Name,
    revision: Revision,
    version: RefCell<String>,
}

/// Makes sure that nobody else is at work; marks what somebody has left unfinished as failed. Says which, if any.
///
/// # Errors
/// When somebody else is at work, or the server refuses.
pub async fn take_turn(
    cluster: &Cluster,
    release: &Name,
    history: &History,
    deployer: &Deployer,
) -> Outcome<Option<Revision>> {
    let left = match history.turn(deployer, cluster.now()) {
        Turn::Free => return Ok(None),
        Turn::Taken(record) => return Err(taken(release, &record)),
        Turn::TakeOver(left) => left,
    };
    let revision = Revision {
        state: State::Failed,
        message: "interrupted".to_owned(),
        finished: Some(cluster.now()),
        ..left.revision.clone()
    };
    let held = Held {
        cluster,
        release: release.clone(),
        version: RefCell::new(left.version.clone()),
        revision: left.revision.clone(),
    };
    match held.write(&revision).await? {
        Ok(()) => Ok(Some(revision)),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(faster(release, revision.number)),
        Err(error) => Err(held.refused(&error)),
    }
}

/// Refuses early, before anything slow, what [`take_turn`] would refuse later.
///
/// # Errors
/// When somebody else is at work, or the server does not answer.
pub async fn refuse_taken(cluster: &Cluster, release: &Name, deployer: &Deployer) -> Outcome<()> {
    match history(cluster, release).await?.turn(deployer, cluster.now()) {
        Turn::Taken(record) => Err(taken(release, &record)),
        Turn::Free | Turn::TakeOver(_) => Ok(()),
    }
}

/// Writes the next revision as pending.
///
/// # Errors
/// When somebody else was faster, or the server refuses.
pub async fn begin<'a>(cluster: &'a Cluster, release: &Name, revision: Revision) -> Outcome<Held<'a>> {
    let secret = record::secret(release, &revision, cluster.now())?;
    let mut held = Held {
        cluster,
        release: release.clone(),
        version: RefCell::default(),
        revision,
    };
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let answer = cluster
        .answer(&held.what(), held.api().create(&parameters, &secret))
        .await?;
    match answer {
        Ok(created) => {
            held.version = RefCell::new(created.metadata.resource_version.unwrap_or_default());
            Ok(held)
        }
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => held.found_again().await,
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let namespace = &release.namespace;
            Err(
                Failure::input(format!("there is no namespace `{namespace}` for release {release}"))
                    .code(&code::release::NAMESPACE_MISSING)
                    .because("its revisions are kept there, and the manifests do not make it")
                    .next(format!(
                        "add the Namespace to the manifests, or create it: `kubectl create namespace {namespace}`"
                    )),
            )
        }
        Err(error) => Err(held.refused(&error)),
    }
}

impl<'a> Held<'a> {
    /// A request is sent again when its answer is lost: the second one finds what the first one has made.
    async fn found_again(mut self) -> Outcome<Held<'a>> {
        let name = record::secret_name(&self.release, self.revision.number);
        let found = self.cluster.call(&self.what(), self.api().get_opt(&name)).await?;
        let found = found.as_ref().map(record::record).transpose()?;
        let made = |revision: &Revision| (revision.deployer.clone(), revision.created);
        match found.filter(|found| made(&found.revision) == made(&self.revision)) {
            Some(ours) => {
                self.version = RefCell::new(ours.version);
                Ok(self)
            }
            None => Err(faster(&self.release, self.revision.number)),
        }
    }

    /// The revision as it was begun.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Does the work of the deployment, and says meanwhile that it is alive.
    ///
    /// # Errors
    /// Those of the work; or the release is lost to somebody else, and the work is given up.
    pub async fn during<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        tokio::select! {
            result = work => result,
            lost = self.renewed_until_lost() => Err(lost),
        }
    }

    async fn renewed_until_lost(&self) -> Failure {
        let start = Instant::now() + RENEWAL_INTERVAL;
        let mut ticks = tokio::time::interval_at(start, RENEWAL_INTERVAL);
        let mut renewed = Instant::now();
        let mut trouble = "the API server has not answered in time".to_owned();
        loop {
            let attempt = async {
                ticks.tick().await;
                self.renew().await
            };
            match tokio::time::timeout_at(renewed + LONGEST_SILENCE, attempt).await {
                Ok(Ok(())) => renewed = Instant::now(),
                Ok(Err(Renewal::Lost(failure))) => return failure,
                // The next attempt may go through.
                Ok(Err(Renewal::Failed(cause))) => trouble = cause,
                Err(_) => return self.lost(&trouble),
            }
        }
    }

    async fn renew(&self) -> Result<(), Renewal> {
        let patch = json!({"metadata": {
            "resourceVersion": *self.version.borrow(),
            "annotations": {RENEWED_ANNOTATION: self.cluster.now().to_string()},
        }});
        let name = record::secret_name(&self.release, self.revision.number);
        let (api, parameters) = (self.api(), patch_parameters());
        let patch = Patch::Merge(&patch);
        match self
            .cluster
            .answer(&self.what(), api.patch_metadata(&name, &parameters, &patch))
            .await
        {
            Ok(Ok(stored)) => {
                self.version
                    .replace(stored.metadata.resource_version.unwrap_or_default());
                Ok(())
            }
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => {
                self.look_again(&self.revision).await.map(drop).map_err(Renewal::Lost)
            }
            Ok(Err(error)) => Err(Renewal::Failed(explain(&error))),
            Err(failure) => Err(Renewal::Failed(failure.to_string())),
        }
    }

    /// Writes how the deployment ended, and what the release owns now.
    ///
    /// # Errors
    /// When the release was lost to somebody else, or the server refuses.
    pub async fn finish(
        &self,
        state: State,
        message: &str,
        inventory: BTreeSet<Identity>,
        kept: BTreeSet<Identity>,
    ) -> Outcome<Revision> {
        let revision = Revision {
            state,
            message: message.to_owned(),
            finished: Some(self.cluster.now()),
            inventory,
            kept,
            ..self.revision.clone()
        };
        match self.write(&revision).await? {
            Ok(()) => {}
            // The answer to a renewal may have been lost with the work that was given up: its version is unknown then.
            // The answer to this very write may have been lost as well: then it is there already.
            Err(error) if is_conflict(&error) || is_lost_connection(&error) => {
                if !self.look_again(&revision).await? {
                    self.write(&revision).await?.map_err(|error| self.refused(&error))?;
                }
            }
            Err(error) => return Err(self.refused(&error)),
        }
        Ok(revision)
    }

    async fn write(&self, revision: &Revision) -> Outcome<kube::Result<()>> {
        let patch = json!({
            "metadata": {
                "resourceVersion": *self.version.borrow(),
                "labels": {STATE_LABEL: revision.state.to_string()},
            },
            "data": {DATA_KEY: ByteString(record::packed(revision)?)},
        });
        let name = record::secret_name(&self.release, revision.number);
        let (api, parameters) = (self.api(), patch_parameters());
        let patch = Patch::Merge(&patch);
        let answer = self
            .cluster
            .answer(&self.what(), api.patch(&name, &parameters, &patch))
            .await?;
        Ok(answer.map(|stored| {
            _ = self
                .version
                .replace(stored.metadata.resource_version.unwrap_or_default())
        }))
    }

    /// Whether what was to be written is there already. If not, the revision must still be pending and ours; then its
    /// newest version is the one to write on.
    async fn look_again(&self, written: &Revision) -> Outcome<bool> {
        let name = record::secret_name(&self.release, self.revision.number);
        let found = self.cluster.call(&self.what(), self.api().get_opt(&name)).await?;
        let Some(found) = found else {
            return Err(self.lost(&format!("somebody has deleted Secret `{name}`")));
        };
        let found = record::record(&found)?;
        let (state, is_ours) = (found.revision.state, found.revision.deployer == self.revision.deployer);
        let is_there = is_ours && state == written.state && found.revision.finished == written.finished;
        if is_there {
            self.version.replace(found.version);
            return Ok(true);
        }
        if !is_ours || state != State::Pending {
            return Err(self.lost(&format!(
                "somebody has marked revision {} as {state}",
                self.revision.number
            )));
        }
        self.version.replace(found.version);
        Ok(false)
    }

    fn api(&self) -> Api<Secret> {
        secrets_of(self.cluster, &self.release)
    }

    fn what(&self) -> String {
        format!(
            "cannot record revision {} of release {}",
            self.revision.number, self.release
        )
    }

    fn refused(&self, error: &kube::Error) -> Failure {
        Failure::cluster(self.what()).because(explain(error))
    }

    fn lost(&self, cause: &dyn std::fmt::Display) -> Failure {
        Failure::busy(format!("this deployment has lost release {}", self.release))
            .code(&code::release::LOST)
            .because(cause)
            .next("look who else deploys: `deploy-tool history`; then run the same command again")
    }
}

enum Renewal {
    /// It may go through the next time.
    Failed(String),
    /// It never will.
    Lost(Failure),
}

fn taken(release: &Name, record: &Record) -> Failure {
    let Revision {
        number,
        reason,
        created,
        deployer,
        ..
    } = &record.revision;
    Failure::busy(format!("another deploy-tool is at work on release {release}"))
        .code(&code::release::TAKEN)
        .because(format!(
            "{deployer}, makes revision {number} (`{reason}`) since {created:.0}, and was alive at {:.0}",
            record.renewed
        ))
        .next("wait until it has ended, then run the same command again; when it is gone, 20 s are enough")
}

fn faster(release: &Name, number: u32) -> Failure {
    Failure::busy(format!("another deploy-tool is at work on release {release}"))
        .code(&code::release::TAKEN)
        .because(format!("it was faster with revision {number}"))
        .next("wait until it has ended, then run the same command again")
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}

fn patch_parameters() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

fn secrets_of(cluster: &Cluster, release: &Name) -> Api<Secret> {
    Api::namespaced(cluster.client.clone(), &release.namespace)
}

fn parameters(labels: &str) -> ListParams {
    ListParams::default()
        .labels(labels)
        .fields(&format!("type={SECRET_TYPE}"))
}

async fn secrets(what: &str, cluster: &Cluster, api: Api<Secret>, labels: &str) -> Outcome<Vec<Secret>> {
    let mut found = Vec::new();
    let mut parameters = parameters(labels).limit(PAGE);
    loop {
        let page = cluster.call(what, api.list(&parameters)).await?;
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(found),
        }
    }
}
