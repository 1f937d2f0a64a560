//! `--require-signature`: only images that the holder of a key has signed are deployed, by the digest that is signed.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::exceptions::Exceptions;
use super::target::Target;
use super::verify::public_key;
use crate::cli::SignedArguments;
use crate::publish::Destination;
use diagnostics::code;
use diagnostics::{Failure, Outcome};
use oci_artifacts::registry::{Login, Purpose, Reference, Trust, credentials};
use oci_artifacts::signature::PublicKey;
use releases::manifest;
use releases::manifest::Object;
use terminal::{Printer, Progress};

/// What is required of images.
pub struct Requirement {
    key: PublicKey,
    exceptions: Exceptions,
}

impl Requirement {
    /// What the arguments require, if anything.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn of(arguments: &SignedArguments) -> Outcome<Option<Self>> {
        let Some(path) = &arguments.require_signature else {
            return Ok(None);
        };
        Ok(Some(Self {
            key: public_key(path)?,
            exceptions: Exceptions::new(&arguments.allow_unsigned),
        }))
    }

    /// Looks up the signatures of the images of some objects. Returns the exact references by what the objects say: a
    /// tag could lead elsewhere a moment later.
    ///
    /// # Errors
    /// When an image is not signed by the key, or that cannot be found out.
    pub async fn check(
        &self,
        printer: &Printer,
        objects: &[Object],
        registry: Option<&Destination>,
        trust: &Trust,
    ) -> Outcome<BTreeMap<String, String>> {
        let images = manifest::images(objects);
        let (exempt, required): (BTreeSet<String>, BTreeSet<String>) =
            images.into_iter().partition(|image| self.exceptions.cover(image));
        let check = async |progress: &Progress| {
            let checks = required.iter().map(|image| self.exact(image, registry, trust));
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
                let others = refused.map(|(image, failure)| format!("{image}: {}", failure.what()));
                return Err(others.fold(failure, |failure, other| failure.because(other)));
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

    async fn exact(&self, image: &str, registry: Option<&Destination>, trust: &Trust) -> Outcome<String> {
        let nowhere = |why: String| {
            Failure::input(format!("{image} is not signed by this key"))
                .code(&code::registry::NOT_SIGNED)
                .because(why)
                .next("push and sign it: `deploy-tool push`, `deploy-tool sign`")
                .next(format!("or let it pass: --allow-unsigned '{image}'"))
        };
        if image.starts_with("localhost/") {
            let why = "it is loaded into the nodes and in no registry, where its signature would be";
            return Err(nowhere(why.to_owned()));
        }
        let reference = Reference::parse(image).map_err(nowhere)?;
        let login: Option<Login> = match registry.and_then(|own| own.login_for(&reference.repository)) {
            Some(login) => Some(login.clone()),
            None => credentials::kept(&reference.repository).await?,
        };
        let target = Target::at(&reference, Purpose::Read, login, trust).await?;
        target.verify(&self.key).await?;
        Ok(match image.contains('@') {
            true => image.to_owned(),
            false => format!("{image}@{}", target.digest),
        })
    }
}

/// Refuses images of a plan that are named by a tag, which could lead elsewhere a moment later.
///
/// # Errors
/// When there is one.
pub fn refuse_inexact(exact: &BTreeMap<String, String>) -> Outcome<()> {
    let mut tags = exact.iter().filter(|(image, reference)| image != reference);
    tags.next().map_or(Ok(()), |(image, reference)| {
        Err(Failure::input(format!("the plan names {image} by a tag"))
            .because("a signature is of a digest, and a tag may lead elsewhere a moment later")
            .next(format!(
                "name {reference} in the manifests and plan again, or apply them without a plan"
            )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_must_name_digests() {
        let pair = |image: &str| BTreeMap::from([(image.to_owned(), "x@sha256:00".to_owned())]);
        refuse_inexact(&pair("x@sha256:00")).unwrap();
        let failure = refuse_inexact(&pair("x:1")).unwrap_err();
        assert!(failure.to_string().contains("x:1"), "{failure}");
    }
}
