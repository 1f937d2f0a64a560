//! Edge: the namespace of a run, and what is in it.

use std::fmt::Debug;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use kube::api::{AttachParams, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use bench::benchmark::objects;
use bench::benchmark::objects::{LABEL, Served};
use cluster::Cluster;
use cluster::REQUEST_TIMEOUT;
use deploy_tool::workload::restart::restart;
use deploy_tool::workload::{Kind, Workload};
use diagnostics::{Error, Result};
use host::cleanup::{Cleanup, CleanupGuard};

/// Deleting a namespace waits for the drain of all its pods.
const GONE_LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

/// A namespace for one run. It is deleted when the value is dropped.
pub struct BenchNamespace {
    cluster: Cluster,
    name: String,
    _deleted: CleanupGuard,
}

impl BenchNamespace {
    /// Makes it. What an earlier run has left that was cut off is deleted first.
    ///
    /// # Errors
    /// When a namespace of that name is somebody else's, or the server refuses.
    pub async fn open(cluster: &Cluster, cleanup: &Cleanup, namespace: &Namespace) -> Result<Self> {
        let name = namespace.name_any();
        let api: Api<Namespace> = Api::all(cluster.client.clone());
        let what = format!("cannot look for the namespace `{name}`");
        if let Some(existing) = cluster.call(&what, api.get_opt(&name)).await? {
            if existing.labels().get(LABEL.0).map(String::as_str) != Some(LABEL.1) {
                return Err(Error::input(format!("the namespace `{name}` is there already"))
                    .cause("it is deleted at the end of a run, and no run has made it")
                    .hint("name another one with --namespace"));
            }
            delete(cluster.clone(), name.clone()).await?;
            let uid = existing.uid().unwrap_or_default();
            let gone = await_condition(api.clone(), &name, conditions::is_deleted(&uid));
            if !matches!(tokio::time::timeout(GONE_LIMIT, gone).await, Ok(Ok(_))) {
                return Err(Error::cluster(format!(
                    "the namespace `{name}` of an earlier run does not go"
                )));
            }
        }
        let what = format!("cannot create the namespace `{name}`");
        cluster
            .call(&what, api.create(&PostParams::default(), namespace))
            .await?;
        Ok(Self {
            cluster: cluster.clone(),
            _deleted: cleanup.guard(delete(cluster.clone(), name.clone())),
            name,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates a Deployment and its Service. Returns the port of the nodes that leads there, if one does.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create(&self, served: &Served) -> Result<Option<i32>> {
        self.create_one(&served.deployment).await?;
        let service: Service = self.create_one(&served.service).await?;
        let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
        Ok(ports.first().and_then(|port| port.node_port))
    }

    async fn create_one<K>(&self, object: &K) -> Result<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.cluster.client.clone(), &self.name);
        let what = format!(
            "cannot create {} `{}` in namespace `{}`",
            K::kind(&()),
            object.name_any(),
            self.name
        );
        self.cluster
            .call(&what, api.create(&PostParams::default(), object))
            .await
    }

    /// Sets the number of replicas of a Deployment.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn scale(&self, deployment: &str, replicas: i32) -> Result<()> {
        let api: Api<Deployment> = Api::namespaced(self.cluster.client.clone(), &self.name);
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let what = format!("cannot scale Deployment `{deployment}`");
        let parameters = PatchParams::default();
        let scaled = api.patch_scale(deployment, &parameters, &patch);
        self.cluster.call(&what, scaled).await.map(|_| ())
    }

    /// Has the database of the run do something, in its pod.
    ///
    /// # Errors
    /// When it does not.
    pub async fn sql(&self, pod: &str, statement: &str) -> Result<()> {
        let api: Api<Pod> = Api::namespaced(self.cluster.pods_client.clone(), &self.name);
        let what = format!("the database does not do `{statement}`");
        let parameters = AttachParams::default().stdout(false);
        let executed = api.exec(pod, objects::sql(statement), &parameters);
        let mut process = self.cluster.call(&what, executed).await?;
        let status = process.take_status();
        let ended = async { Some(status?.await?.status.as_deref() == Some("Success")) };
        match tokio::time::timeout(REQUEST_TIMEOUT, ended).await {
            Ok(Some(true)) => Ok(()),
            _ => Err(Error::cluster(what)),
        }
    }

    /// Replaces the pods of a Deployment.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn restart(&self, deployment: &str) -> Result<()> {
        let workload = Workload {
            kind: Kind::Deployment,
            name: deployment.to_owned(),
        };
        restart(&self.cluster, &self.name, &workload, self.cluster.now())
            .await
            .map(|_| ())
    }
}

async fn delete(cluster: Cluster, name: String) -> Result<()> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    let what = format!("cannot delete the namespace `{name}`");
    cluster
        .call(&what, api.delete(&name, &DeleteParams::default()))
        .await
        .map(|_| ())
}
