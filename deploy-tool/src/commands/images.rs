//! The way of a release's images: into the nodes of a kind cluster, or to a registry that nodes pull from.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{self, Form, Variation};
use crate::built::{self, Built};
use crate::cli::{PublishArguments, SourceArguments};
use crate::publish::{self, Destination, PullSecret};
use cluster::context::kind_cluster;
use cluster::{Cluster, pods};
use diagnostics::{Failure, Outcome};
use host::cache::Cache;
use host::cleanup::Cleanup;
use nodes::api::doctor;
use nodes::node_images as presence;
use oci_artifacts::registry::Connection;
use releases::manifest;
use releases::manifest::Object;
use terminal::{Printer, Progress};
use wasm_build::native_form::NativeForm;

/// Brings images to the nodes by `load`, which gets the name of the kind cluster and says what it did. Programs that look
/// into each node take longer than all else in a run that changes nothing: they are started only where the API server
/// does not know that every image is there.
///
/// # Errors
/// When the cluster does not answer, or the images cannot be loaded.
pub async fn on_nodes(
    printer: &Printer,
    cluster: &Cluster,
    images: &BTreeSet<String>,
    load: impl AsyncFnOnce(&Progress, &str) -> Outcome<String>,
) -> Outcome<()> {
    let Some(name) = kind_cluster(&cluster.context).filter(|_| !images.is_empty()) else {
        return Ok(());
    };
    let step = async |progress: &Progress| {
        let nodes = pods::few_nodes(cluster).await?;
        progress.outcome(match presence::everywhere(&nodes, images) {
            Some(count) => format!("images on {count} nodes: unchanged"),
            None => load(progress, name).await?,
        });
        Ok(())
    };
    printer.step("images on the nodes", step).await
}

/// The images that the placeholders of some objects stand for, on their way from the sources to a reference.
pub struct Wanted<'a> {
    source: &'a SourceArguments,
    names: BTreeSet<String>,
    /// Where they are pushed to, if a registry is named.
    pub registry: Option<Destination>,
    connections: BTreeMap<String, Connection>,
}

impl<'a> Wanted<'a> {
    /// Finds out what stands in their way before minutes of compiling; `pushes`: whether they are to be pushed at all.
    ///
    /// # Errors
    /// When the nodes cannot get them, there is no such repository, or its registry does not let this login in.
    pub async fn new(
        context: &str,
        arguments: &PublishArguments,
        source: &'a SourceArguments,
        names: BTreeSet<String>,
        pushes: bool,
    ) -> Outcome<Self> {
        refuse_unreachable(context, &names, arguments.registry.as_deref())?;
        let registry = destination(arguments, source, &names).await?;
        let connections = match registry.as_ref().filter(|_| pushes) {
            Some(registry) => registry.open().await?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            source,
            names,
            registry,
            connections,
        })
    }

    /// Builds them, and pushes them where that was asked for. Also returns their exact references, by the names of their
    /// definitions.
    ///
    /// # Errors
    /// When one cannot be built or pushed.
    pub async fn build(
        &self,
        printer: &Printer,
        cleanup: &Cleanup,
        cache: &Cache,
        form: Form,
        native: NativeForm,
    ) -> Outcome<(Vec<Built>, BTreeMap<String, String>)> {
        let mut built = Vec::new();
        let variation = Variation {
            form,
            native,
            ..Variation::default()
        };
        for name in &self.names {
            built.push(build::build(printer, cleanup, cache, self.source, name, variation).await?);
        }
        let references = match &self.registry {
            Some(registry) => {
                registry.push(printer, &self.connections, &built).await?;
                registry.references(&built)
            }
            None => built::references(&built),
        };
        Ok((built, references))
    }

    /// The login of the nodes, where they need one.
    pub fn pull_secret(&self) -> Option<PullSecret> {
        self.registry.as_ref().and_then(Destination::pull_secret)
    }
}

/// The form of native code that the nodes of a cluster allow for what is built here.
///
/// # Errors
/// When the cluster does not answer.
pub async fn native_form(
    printer: &Printer,
    cluster: &Cluster,
    objects: &[Object],
    allowed: bool,
) -> Outcome<NativeForm> {
    if !allowed || manifest::placeholders(objects).is_empty() {
        return Ok(NativeForm::Section);
    }
    let step = async |progress: &Progress| {
        let classes = doctor::known_runtime_classes(cluster).await?;
        let nodes = pods::few_nodes(cluster).await?;
        let (form, reason) = crate::native_form::for_nodes(objects, &classes, &nodes);
        progress.outcome(reason);
        Ok(form)
    };
    printer.step("form of native code", step).await
}

async fn destination(
    arguments: &PublishArguments,
    source: &SourceArguments,
    names: &BTreeSet<String>,
) -> Outcome<Option<Destination>> {
    let Some(prefix) = arguments.registry.as_deref().filter(|_| !names.is_empty()) else {
        return Ok(None);
    };
    let named = names
        .iter()
        .map(|name| Ok((name.clone(), build::image_name(source, name)?)));
    let images = named.collect::<Outcome<BTreeMap<_, _>>>()?;
    let tags = publish::registry::described_tag(source.folder()).await?;
    Destination::below(prefix, &images, &arguments.reach, tags)
        .await
        .map(Some)
}

/// Refuses a cluster that images built here cannot come to: none of kind's, and no registry is named.
fn refuse_unreachable(context: &str, names: &BTreeSet<String>, registry: Option<&str>) -> Outcome<()> {
    if names.is_empty() || registry.is_some() || kind_cluster(context).is_some() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "the nodes of `{context}` cannot get the images that are built here"
    ))
    .because("only nodes of kind clusters have images loaded into them; all others pull from a registry")
    .next("name one that you may push to and they can pull from: --registry docker.io/you"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_clusters_than_kinds_need_a_registry() {
        let names = BTreeSet::from(["app".to_owned()]);
        refuse_unreachable("kind-x", &names, None).unwrap();
        refuse_unreachable("production", &BTreeSet::new(), None).unwrap();
        refuse_unreachable("production", &names, Some("docker.io/you")).unwrap();
        let failure = refuse_unreachable("production", &names, None).unwrap_err();
        assert!(failure.to_string().contains("production"));
    }
}
