//! `deploy-tool verify`: whether the holder of a key has signed an image in a registry.

use std::path::Path;

use serde::Serialize;

use crate::cli::{RegistryArguments, VerifyArguments};
use crate::code;
use crate::failure::{Failure, Outcome};
use crate::image::Blob;
use crate::printer::Printer;
use crate::registry::{Connection, Login, Purpose, Reference, Trust};
use crate::signature::{self, PublicKey};

/// What was verified. As JSON it is the `data` of the result of `verify --output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    /// The exact reference: what a tag leads to may change, the signature is of this digest.
    reference: String,
}

/// Runs the command.
///
/// # Errors
/// When the image cannot be read, or is not signed by the key.
pub async fn run(printer: &Printer, arguments: VerifyArguments) -> Outcome<()> {
    let key = public_key(&arguments.key)?;
    let target = Target::find(&arguments.image, Purpose::Read, &arguments.registry).await?;
    target.verify(&key).await?;
    let reference = target.reference();
    printer.result(
        &Result {
            reference: reference.clone(),
        },
        &reference,
    );
    Ok(())
}

/// Reads a public key.
///
/// # Errors
/// When it is none that can be used.
pub fn public_key(path: &Path) -> Outcome<PublicKey> {
    let failure = || {
        Failure::input(format!("the public key `{}` cannot be used", path.display()))
            .next("make it from the private one: `openssl pkey -in FILE -pubout`")
    };
    let pem = std::fs::read(path).map_err(|error| failure().because(error))?;
    PublicKey::from_pem(&pem).map_err(|error| failure().because(error))
}

/// An image in a registry.
pub struct Target {
    /// Its repository.
    pub connection: Connection,
    /// Its digest.
    pub digest: String,
}

impl Target {
    /// Finds it by digest or by tag, and proves that what the registry gives has that digest.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn find(image: &str, purpose: Purpose, registry: &RegistryArguments) -> Outcome<Self> {
        let wrong = |why: String| {
            Failure::input(format!("`{image}` is no image in a registry"))
                .because(why)
                .next("write REPOSITORY:TAG, or REPOSITORY@sha256:… as `push` has printed it")
        };
        let reference = Reference::parse(image).map_err(wrong)?;
        let login = registry.credentials().login(&reference.repository).await?;
        Self::at(&reference, purpose, login, &registry.trust()).await
    }

    /// The same with a login that is known.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn at(reference: &Reference, purpose: Purpose, login: Option<Login>, trust: &Trust) -> Outcome<Self> {
        let Reference { repository, name } = reference;
        let connection = Connection::open(repository, purpose, login, trust).await?;
        let manifest = connection.manifest(name).await;
        let manifest = manifest.map_err(|problem| connection.explain(&problem))?;
        let manifest = manifest.ok_or_else(|| reference.missing())?;
        Ok(Self {
            digest: manifest.digest,
            connection,
        })
    }

    /// The exact reference.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.connection.repository, self.digest)
    }

    /// The manifest of its signatures, if there are any.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn signatures(&self) -> Outcome<Option<Blob>> {
        let manifest = self.connection.manifest(&signature::tag(&self.digest)).await;
        manifest.map_err(|problem| self.connection.explain(&problem))
    }

    /// Whether the holder of the key has signed it.
    ///
    /// # Errors
    /// When not, or when that cannot be found out.
    pub async fn verify(&self, key: &PublicKey) -> Outcome<()> {
        let reference = self.reference();
        let refused = || Failure::input(format!("{reference} is not signed by this key"));
        let Some(manifest) = self.signatures().await? else {
            return Err(refused()
                .code(&code::registry::NOT_SIGNED)
                .because("it has no signature at all")
                .next(format!("sign it: `deploy-tool sign {reference} --key FILE`")));
        };
        let candidates = signature::candidates(manifest.bytes())
            .map_err(|error| refused().code(&code::registry::NOT_SIGNED).because(error))?;
        for candidate in &candidates {
            let payload = self.connection.document(&candidate.digest).await;
            let payload = payload.map_err(|problem| self.connection.explain(&problem))?;
            if payload.is_some_and(|payload| candidate.proves(key, &self.digest, &payload)) {
                return Ok(());
            }
        }
        Err(refused()
            .code(&code::registry::SIGNED_BY_OTHERS)
            .because(format!(
                "of its {} signatures none is by the holder of this key",
                candidates.len()
            ))
            .next("use the key of who has signed it, or do not use the image"))
    }
}
