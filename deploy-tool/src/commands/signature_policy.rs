//! `--require-signature`: only images that the holder of a key has signed are deployed, by the digest that is signed.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::exceptions::Exceptions;
use super::remote_image::{Policy, RemoteImage};
use crate::cli::SignedArguments;
use crate::publish::Destination;
use diagnostics::code;
use diagnostics::{Error, Result};
use oci_artifacts::registry::{FoundLogin, Purpose, Reference, TlsOptions, credentials};
use releases::manifest;
use releases::manifest::Object;
use terminal::{Printer, Progress};

/// The requirements for images.
pub struct SignaturePolicy {
    policy: Policy,
    exceptions: Exceptions,
}

impl SignaturePolicy {
    /// What the arguments require, if anything.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn from_arguments(arguments: &SignedArguments) -> Result<Option<Self>> {
        Ok(Policy::from_arguments(arguments)?.map(|policy| Self {
            policy,
            exceptions: Exceptions::new(&arguments.allow_unsigned),
        }))
    }

    /// Verifies the signatures of the images in some objects. Returns the references by digest, by those in the objects: a
    /// tag could be moved a moment later.
    ///
    /// # Errors
    /// When an image is not signed by the key, or the signatures cannot be read.
    pub async fn check(
        &self,
        printer: &Printer,
        objects: &[Object],
        registry: Option<&Destination>,
        tls: &TlsOptions,
    ) -> Result<BTreeMap<String, String>> {
        refuse_unseen(objects, &self.exceptions)?;
        let images = manifest::images(objects);
        let (exempt, required): (BTreeSet<String>, BTreeSet<String>) = images
            .into_iter()
            .partition(|image| self.exceptions.matches_image(image));
        let check = async |progress: &Progress| {
            let checks = required.iter().map(|image| self.resolve_digest(image, registry, tls));
            let mut exact = BTreeMap::new();
            let mut refused = Vec::new();
            for (image, checked) in required.iter().zip(join_all(checks).await) {
                match checked {
                    Ok(reference) => drop(exact.insert(image.clone(), reference)),
                    Err(failure) => refused.push((image, failure)),
                }
            }
            let mut refused = refused.into_iter();
            if let Some((_, failure)) = refused.next() {
                let causes = refused.map(|(image, failure)| format!("{image}: {}", failure.message()));
                return Err(causes.fold(failure, |failure, cause| failure.cause(cause)));
            }
            let signed = match exact.len() {
                1 => "1 image is signed by the key".to_owned(),
                count => format!("{count} images are signed by the key"),
            };
            progress.outcome(match exempt.len() {
                0 => signed,
                count => format!("{signed}, {count} need not be"),
            });
            Ok(exact)
        };
        printer.step("signatures", check).await
    }

    async fn resolve_digest(&self, image: &str, registry: Option<&Destination>, tls: &TlsOptions) -> Result<String> {
        let nowhere = |why: String| {
            Error::input(format!("{image} is not signed by this key"))
                .code(&code::registry::NOT_SIGNED)
                .cause(why)
                .hint("push and sign it: `deploy-tool push`, `deploy-tool sign`")
                .hint(format!("or let it pass: --allow-unsigned '{image}'"))
        };
        if image.starts_with("localhost/") {
            let why = "it is loaded into the nodes and in no registry, where its signature would be";
            return Err(nowhere(why.to_owned()));
        }
        let reference = Reference::parse(image).map_err(nowhere)?;
        let found = match registry.and_then(|own| own.login_for(&reference.repository)) {
            Some(login) => FoundLogin::from_login(login.clone()),
            None => credentials::stored_login(&reference.repository, &Purpose::Read).await,
        };
        let target = RemoteImage::connect(&reference, Purpose::Read, found, tls).await?;
        target.verify(&self.policy).await?;
        if self.policy.asks_for_provenance() {
            target.provenance(&self.policy).await?;
        }
        Ok(if image.contains('@') {
            image.to_owned()
        } else {
            format!("{image}@{}", target.digest)
        })
    }
}

/// Refuses objects that may run images which are not visible in them.
///
/// # Errors
/// When the kind of one is no exception.
fn refuse_unseen(objects: &[Object], exceptions: &Exceptions) -> Result<()> {
    let kind = |object: &Object| {
        let kind = object.group_version_kind();
        format!("{}.{}", kind.kind, kind.group)
    };
    let unseen = objects.iter().filter(|object| object.hides_images());
    let unseen: Vec<&Object> = unseen
        .filter(|object| !exceptions.matches_kind(&kind(object)))
        .collect();
    if unseen.is_empty() {
        return Ok(());
    }
    let locations: Vec<String> = unseen
        .iter()
        .map(|object| format!("{} in {}", object.title(), object.source_location()))
        .collect();
    let kinds: BTreeSet<String> = unseen
        .iter()
        .map(|object| format!("--allow-unsigned {}", kind(object)))
        .collect();
    let kinds: Vec<String> = kinds.into_iter().collect();
    Err(
        Error::input("it is not known whether everything that the manifests run is signed")
            .code(&code::input::IMAGES_UNSEEN)
            .cause("what other programs make of objects of these kinds is not in the manifests")
            .detail(locations.join("\n"))
            .hint(format!(
                "look at what they run, then allow their kinds by name: {}",
                kinds.join(" ")
            )),
    )
}

/// Refuses images of a plan that are named by a tag, which could lead elsewhere a moment later.
///
/// # Errors
/// When there is one.
pub fn refuse_inexact(exact: &BTreeMap<String, String>) -> Result<()> {
    let mut tags = exact.iter().filter(|(image, reference)| image != reference);
    tags.next().map_or(Ok(()), |(image, reference)| {
        Err(Error::input(format!("the plan names {image} by a tag"))
            .cause("a signature is of a digest, and a tag may lead elsewhere a moment later")
            .hint(format!(
                "name {reference} in the manifests and plan again, or apply them without a plan"
            )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_judge_is_refused_unless_it_is_allowed_by_name() {
        let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: b}\n---\n\
            apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: c}\n";
        let objects = manifest::parse("m.yaml", text).unwrap();
        let refuse = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            refuse_unseen(&objects, &Exceptions::new(&patterns))
        };
        let failure = refuse(&["docker.io/library/*", "Gadget.example.com"]).unwrap_err();
        let text = failure.to_string();
        assert!(
            text.contains("Widget `b` in m.yaml:5") && text.contains("--allow-unsigned Widget.example.com"),
            "{text}"
        );
        assert!(!text.contains("Gadget") && !text.contains("Service"), "{text}");
        assert_eq!(failure.number(), Some(&code::input::IMAGES_UNSEEN));
        refuse(&["Gadget.example.com", "widget.*"]).unwrap();
    }

    #[test]
    fn a_plan_must_name_digests() {
        let pair = |image: &str| BTreeMap::from([(image.to_owned(), "x@sha256:00".to_owned())]);
        refuse_inexact(&pair("x@sha256:00")).unwrap();
        let failure = refuse_inexact(&pair("x:1")).unwrap_err();
        assert!(failure.to_string().contains("x:1"), "{failure}");
    }
}
