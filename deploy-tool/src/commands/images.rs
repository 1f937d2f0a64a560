//! The way of a release's images: into the nodes of a kind cluster, or to a registry that nodes pull from.

use std::collections::{BTreeMap, BTreeSet};

use super::build;
use super::variation::{self, Form, Variation};
use crate::built::{self, Built};
use crate::cli::{Aot, PublishArguments, SourceArguments};
use crate::publish::{self, Destination, PullSecret};
use cluster::context::kind_cluster;
use cluster::{Cluster, pods};
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use nodes::api::doctor;
use nodes::node_images;
use oci_artifacts::registry::Connection;
use releases::manifest;
use releases::manifest::Object;
use terminal::{Printer, Progress};
use wasm_build::native_form::NativeForm;

/// Brings images to the nodes with `load`, which gets the name of the kind cluster and returns a message. An exact check of
/// each node takes longer than anything else in a run without changes, so it is done only where the API server does not
/// report every image. Without new images (`built`), unreachable nodes are assumed to have or pull them.
///
/// # Errors
/// When the cluster does not answer, or the images cannot be loaded.
pub async fn on_nodes(
    printer: &Printer,
    cluster: &Cluster,
    images: &BTreeSet<String>,
    built: bool,
    load: impl AsyncFnOnce(&Progress, &str) -> Result<String>,
) -> Result<()> {
    let Some(name) = kind_cluster(&cluster.context).filter(|_| !images.is_empty()) else {
        return Ok(());
    };
    let step = async |progress: &Progress| {
        let nodes = pods::few_nodes(cluster).await?;
        progress.outcome(match node_images::count_nodes_with_images(&nodes, images) {
            Some(count) => format!("images on {count} nodes: unchanged"),
            None => match load(progress, name).await {
                Err(failure) if !built && failure.number() == Some(&code::image::NODES_AWAY) => {
                    printer.warning(&format!("no image is loaded into the nodes: {}", failure.sentence()));
                    "images on the nodes: not known".to_owned()
                }
                loaded => loaded?,
            },
        });
        Ok(())
    };
    printer.step("images on the nodes", step).await
}

/// The images of the placeholders in some objects, from their sources to the final references.
pub struct ImageBuilds<'a> {
    source: &'a SourceArguments,
    names: BTreeSet<String>,
    /// Where they are pushed to, if a registry is named.
    pub registry: Option<Destination>,
    connections: BTreeMap<String, Connection>,
    pull_secret: Option<String>,
}

impl<'a> ImageBuilds<'a> {
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
    ) -> Result<Self> {
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
            pull_secret: arguments.pull_secret.clone(),
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
    ) -> Result<(Vec<Built>, BTreeMap<String, String>)> {
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

    /// The login of the nodes, where one is named.
    pub fn pull_secret(&self) -> Option<PullSecret> {
        let registry = self.registry.as_ref()?;
        Some(PullSecret {
            prefix: registry.prefix.clone(),
            name: self.pull_secret.clone()?,
        })
    }
}

/// The form of native code for images that are built here: the requested one, else one that the nodes of the cluster support.
///
/// # Errors
/// When the cluster does not answer.
pub async fn native_form(
    printer: &Printer,
    cluster: &Cluster,
    objects: &[Object],
    aot: Option<Aot>,
) -> Result<NativeForm> {
    if let Some(aot) = aot {
        return Ok(variation::native_form(aot));
    }
    if manifest::placeholders(objects).is_empty() {
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
) -> Result<Option<Destination>> {
    let Some(prefix) = arguments.registry.as_deref().filter(|_| !names.is_empty()) else {
        return Ok(None);
    };
    let named = names
        .iter()
        .map(|name| Ok((name.clone(), build::image_name(source, name)?)));
    let images = named.collect::<Result<BTreeMap<_, _>>>()?;
    let tag = publish::registry::described_tag(source.folder()).await;
    Destination::with_prefix(prefix, &images, &arguments.reach, tag.into_iter().collect())
        .await
        .map(Some)
}

/// Refuses a cluster that images built here cannot come to: not a kind cluster, and no registry is named.
fn refuse_unreachable(context: &str, names: &BTreeSet<String>, registry: Option<&str>) -> Result<()> {
    if names.is_empty() || registry.is_some() || kind_cluster(context).is_some() {
        return Ok(());
    }
    Err(Error::input(format!(
        "the nodes of `{context}` cannot get the images that are built here"
    ))
    .cause("only nodes of kind clusters have images loaded into them; all others pull from a registry")
    .hint("name one that you may push to and they can pull from: --registry docker.io/you"))
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
