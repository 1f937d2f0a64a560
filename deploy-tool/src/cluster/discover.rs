//! Edge: where the API server keeps objects of a kind.

use kube::Api;
use kube::api::DynamicObject;
use kube::discovery::{Discovery, Scope};

use super::Cluster;
use crate::failure::{Failure, Outcome};
use crate::manifest::Object;

/// The kinds that a cluster knows.
pub struct Kinds(Discovery);

/// An object, the place it goes to, and the namespace it is in.
pub struct Placed {
    /// The object.
    pub object: Object,
    /// Where it goes.
    pub api: Api<DynamicObject>,
    /// Its namespace, if its kind has one.
    pub namespace: Option<String>,
}

impl Kinds {
    /// Asks a cluster.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of(cluster: &Cluster) -> Outcome<Self> {
        let what = "cannot find out which kinds of objects the cluster knows";
        let discovery = Discovery::new(cluster.client.clone());
        // Two requests in place of one a group. Old servers, and those with a broken extension, need the long way.
        if let Ok(kinds) = cluster.answer(what, discovery.run_aggregated()).await? {
            return Ok(Self(kinds));
        }
        cluster
            .call(what, Discovery::new(cluster.client.clone()).run())
            .await
            .map(Self)
    }

    /// Finds the place of each object; `namespace` is for those whose manifest names none.
    ///
    /// # Errors
    /// When the cluster does not know a kind.
    pub fn place_all(
        &self,
        cluster: &Cluster,
        objects: impl IntoIterator<Item = Object>,
        namespace: &str,
    ) -> Outcome<Vec<Placed>> {
        objects
            .into_iter()
            .map(|object| self.place(cluster, object, namespace))
            .collect()
    }

    fn place(&self, cluster: &Cluster, mut object: Object, namespace: &str) -> Outcome<Placed> {
        let kind = object.group_version_kind();
        let (resource, capabilities) = self.0.resolve_gvk(&kind).ok_or_else(|| {
            Failure::input(format!("{} in {} cannot be applied", object.title(), object.place()))
                .because(format!(
                    "the cluster knows no kind {} of version {}",
                    kind.kind,
                    kind.api_version()
                ))
                .next("check `apiVersion` and `kind`, or install what defines them")
        })?;
        if capabilities.scope == Scope::Cluster {
            let api = Api::all_with(cluster.client.clone(), &resource);
            return Ok(Placed {
                object,
                api,
                namespace: None,
            });
        }
        let chosen = object.namespace().unwrap_or(namespace).to_owned();
        object.value.metadata.namespace = Some(chosen.clone());
        let api = Api::namespaced_with(cluster.client.clone(), &chosen, &resource);
        Ok(Placed {
            object,
            api,
            namespace: Some(chosen),
        })
    }
}
