//! Edge: where the API server keeps objects of a kind.

use kube::Api;
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::{ApiGroup, Discovery, Scope, verbs};

use crate::manifest::{self, Object};
use crate::release::Identity;
use cluster::Cluster;
use diagnostics::{Error, Result};

/// What to do about groups that are served by another server.
pub const UNREACHABLE_HINT: &str = "look which APIService is not available: `kubectl get apiservices`; start what is behind it, or delete \
    it if that is gone for good";

/// The kinds that a cluster knows, and those that a release is about to define.
pub struct Kinds {
    known: Discovery,
    defined: Vec<manifest::Definition>,
    /// Whether the definitions have been applied since `known` was read.
    definitions_applied: bool,
}

/// An object, where the API server keeps it, and the namespace it is in.
pub struct ResolvedObject {
    /// The object.
    pub object: Object,
    /// Where it is kept.
    pub api: Api<DynamicObject>,
    /// Its namespace, if its kind has one.
    pub namespace: Option<String>,
}

/// A kind, and how far the cluster knows it.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its group, version and path.
    pub resource: ApiResource,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether the cluster serves it; else a CustomResourceDefinition of the same release defines it.
    pub served: bool,
}

impl Kinds {
    /// Asks a cluster.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn discover(cluster: &Cluster) -> Result<Self> {
        let message = "cannot find out which kinds of objects the cluster knows";
        let discovery = Discovery::new(cluster.client.clone());
        // Two requests in place of one a group. Old servers, and those with a broken extension, need the long way.
        let known = match cluster.answer(message, discovery.run_aggregated()).await? {
            Ok(known) => known,
            Err(_) => {
                cluster
                    .call(message, Discovery::new(cluster.client.clone()).run())
                    .await?
            }
        };
        Ok(Self {
            known,
            defined: Vec::new(),
            definitions_applied: false,
        })
    }

    /// Takes in the kinds that some objects define, so that objects of these kinds have a place before the cluster
    /// knows it.
    pub fn add_definitions<'o>(&mut self, objects: impl IntoIterator<Item = &'o Object>) {
        self.defined = objects.into_iter().flat_map(manifest::definitions).collect();
    }

    /// Looks a kind up.
    pub fn find(&self, kind: &GroupVersionKind) -> Option<Kind> {
        if let Some((resource, capabilities)) = self.known.resolve_gvk(kind) {
            return Some(Kind {
                resource,
                namespaced: capabilities.scope == Scope::Namespaced,
                served: true,
            });
        }
        let defined = self.defined.iter().find(|defined| defined.kind == *kind)?;
        Some(Kind {
            resource: ApiResource::from_gvk_with_plural(kind, &defined.plural),
            namespaced: defined.namespaced,
            served: false,
        })
    }

    /// From now on, the definitions among the objects decide in which versions their kinds are served.
    pub fn use_definitions(&mut self) {
        self.definitions_applied = true;
    }

    /// Looks a kind up in a version that the cluster serves: this one, else another. An object is the same in each, and is
    /// still there when the version through which it was applied is not served any more.
    /// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/>
    pub fn find_served(&self, kind: &GroupVersionKind) -> Option<Kind> {
        let defined = self.defined.iter().filter(|_| self.definitions_applied);
        let mut same: Vec<_> = defined
            .filter(|defined| (&defined.kind.group, &defined.kind.kind) == (&kind.group, &kind.kind))
            .collect();
        same.sort_by_key(|defined| defined.kind.version != kind.version);
        if let Some(defined) = same.first() {
            return Some(Kind {
                resource: ApiResource::from_gvk_with_plural(&defined.kind, &defined.plural),
                namespaced: defined.namespaced,
                served: true,
            });
        }
        let group = self.known.get(&kind.group)?;
        let versions = std::iter::once(kind.version.as_str()).chain(group.versions());
        let mut resources = versions.flat_map(|version| group.versioned_resources(version));
        let (resource, capabilities) = resources.find(|(resource, _)| resource.kind == kind.kind)?;
        Some(Kind {
            resource,
            namespaced: capabilities.scope == Scope::Namespaced,
            served: true,
        })
    }

    /// The API groups whose aggregated API server does not answer: discovery has only their names, and their objects cannot
    /// be listed.
    /// <https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/>
    pub fn unreachable_groups(&self) -> Vec<&str> {
        let is_empty = |group: &&ApiGroup| {
            group
                .versions()
                .all(|version| group.versioned_resources(version).is_empty())
        };
        self.known.groups().filter(is_empty).map(ApiGroup::name).collect()
    }

    /// Where an object is; nowhere if the cluster does not know its kind.
    pub fn api(&self, cluster: &Cluster, identity: &Identity) -> Option<Api<DynamicObject>> {
        let kind = self.find_served(&identity.group_version_kind())?;
        Some(api(cluster, &kind, identity.namespace.as_deref()))
    }

    /// Finds where each object is kept; `namespace` is for those whose manifest names none.
    ///
    /// # Errors
    /// When the cluster does not know a kind.
    pub fn resolve_all(
        &self,
        cluster: &Cluster,
        objects: impl IntoIterator<Item = Object>,
        namespace: &str,
    ) -> Result<Vec<ResolvedObject>> {
        objects
            .into_iter()
            .map(|object| {
                let (object, kind) = self.resolve_object(object, namespace)?;
                let chosen = object.namespace().map(str::to_owned);
                Ok(ResolvedObject {
                    api: api(cluster, &kind, chosen.as_deref()),
                    namespace: chosen,
                    object,
                })
            })
            .collect()
    }

    /// An object with its namespace, or without one if its kind has none; and its kind.
    ///
    /// # Errors
    /// When the cluster does not know the kind.
    pub fn resolve_object(&self, mut object: Object, namespace: &str) -> Result<(Object, Kind)> {
        let wanted = object.group_version_kind();
        let Some(kind) = self.find(&wanted) else {
            return Err(self.explain_unknown(&object));
        };
        object.value.metadata.namespace = if kind.namespaced {
            Some(object.namespace().unwrap_or(namespace).to_owned())
        } else {
            None
        };
        Ok((object, kind))
    }

    /// Refuses to continue where the existence of some objects cannot be determined.
    ///
    /// # Errors
    /// When the kind of one is of a group whose server does not answer.
    pub fn refuse_unreachable<'i>(&self, identities: impl IntoIterator<Item = &'i Identity>) -> Result<()> {
        let groups = self.unreachable_groups();
        let mut unknown = identities
            .into_iter()
            .filter(|identity| groups.contains(&identity.group.as_str()));
        match unknown.next() {
            None => Ok(()),
            Some(first) => Err(explain_unreachable(
                &format!("cannot find out whether {} is there", first.title()),
                &first.group,
            )),
        }
    }

    /// The error for an object of an unknown kind.
    pub fn explain_unknown(&self, object: &Object) -> Error {
        let group = object.group_version_kind().group;
        if self.unreachable_groups().contains(&group.as_str()) {
            let message = format!("{} in {} cannot be applied", object.title(), object.source_location());
            return explain_unreachable(&message, &group);
        }
        manifest::unknown_kind(object, &self.list_kinds())
    }

    /// The kinds whose objects are stored in namespaces: those that can be listed and deleted there. Each in one version,
    /// also those that the recommended version of their group does not have.
    pub fn namespaced_kinds(&self) -> Vec<ApiResource> {
        let kinds = self.known.groups().flat_map(|group| group.resources_by_stability());
        let stored = kinds.filter(|(_, capabilities)| {
            capabilities.scope == Scope::Namespaced
                && capabilities.supports_operation(verbs::LIST)
                && capabilities.supports_operation(verbs::DELETE)
        });
        stored.map(|(resource, _)| resource).collect()
    }

    fn list_kinds(&self) -> Vec<GroupVersionKind> {
        let resources = self.known.groups().flat_map(|group| {
            group
                .versions()
                .flat_map(|version| group.versioned_resources(version))
                .map(|(resource, _)| GroupVersionKind::gvk(&resource.group, &resource.version, &resource.kind))
        });
        resources
            .chain(self.defined.iter().map(|defined| defined.kind.clone()))
            .collect()
    }
}

/// The error for an API group whose server does not answer.
pub fn explain_unreachable(message: &str, group: &str) -> Error {
    Error::cluster(message)
        .cause(format!("the API server behind the group {group} does not answer"))
        .hint(UNREACHABLE_HINT)
}

/// Where objects of a kind are.
pub fn api(cluster: &Cluster, kind: &Kind, namespace: Option<&str>) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, &kind.resource),
        None => Api::all_with(cluster.client.clone(), &kind.resource),
    }
}
