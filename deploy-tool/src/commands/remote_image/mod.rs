//! Edge: an image in a registry, with its signatures and provenance. [`signature`] and [`provenance`] verify them.

use std::path::Path;

use crate::cli::{RegistryArguments, SignedArguments};
use diagnostics::code;
use diagnostics::{Error, Result};
use oci_artifacts::Digest;
use oci_artifacts::image::specification::Manifest;
use oci_artifacts::image::{Blob, artifact};
use oci_artifacts::provenance::{self, Provenance, ProvenanceError};
use oci_artifacts::registry::{Connection, FoundLogin, Purpose, Reference, RegistryError, Repository, TlsOptions};
use oci_artifacts::signature::envelope::{self, EnvelopeError};
use oci_artifacts::signature::{self, PublicKey, Verdict, bundle};
use terminal::Printer;

/// A bundle has a few kilobytes.
const MOST_BUNDLE_BYTES: u64 = 1 << 20;

/// An image in a registry.
pub struct RemoteImage {
    /// Its repository.
    pub connection: Connection,
    /// Its digest.
    pub digest: Digest,
}

/// Which signatures are accepted, and what the provenance must contain.
pub struct Policy {
    /// Whose.
    pub key: PublicKey,
    /// Repositories that a signature may name beside the image's own.
    also: Vec<Repository>,
    builder: Option<String>,
    source: Option<String>,
}

impl Policy {
    /// A policy with a public key in a file, and further requirements.
    ///
    /// # Errors
    /// When the key cannot be used, or `also` has an invalid repository.
    pub fn new(key: &Path, also: &[String], builder: Option<&str>, source: Option<&str>) -> Result<Self> {
        let repository = |text: &String| {
            let parsed = Repository::parse(text).map(|(repository, _)| repository);
            parsed.map_err(|why| Error::input(format!("`{text}` is not a repository")).cause(why))
        };
        Ok(Self {
            key: public_key(key)?,
            also: also.iter().map(repository).collect::<Result<_>>()?,
            builder: builder.map(str::to_owned),
            source: source.map(str::to_owned),
        })
    }

    /// What the arguments of a deployment require, if anything.
    ///
    /// # Errors
    /// As above.
    pub fn from_arguments(arguments: &SignedArguments) -> Result<Option<Self>> {
        let key = arguments.require_signature.as_deref();
        let (builder, source) = (arguments.builder.as_deref(), arguments.source.as_deref());
        key.map(|key| Self::new(key, &arguments.signed_as, builder, source))
            .transpose()
    }

    /// Whether it matters how an image was built.
    pub fn asks_for_provenance(&self) -> bool {
        self.builder.is_some() || self.source.is_some()
    }

    /// Whether a signature that names a repository counts for an image in another.
    fn accepts_repository(&self, named: &str, repository: &Repository) -> bool {
        // cosign signs the reference of its command line, with the tag or the digest.
        let named = Repository::parse(named.split('@').next().unwrap_or_default()).map(|(repository, _)| repository);
        named.is_ok_and(|named| named == *repository || self.also.contains(&named))
    }

    fn check_provenance(&self, reference: &str, provenance: &Provenance) -> Result<()> {
        if let Some(pattern) = self
            .builder
            .as_deref()
            .filter(|pattern| !provenance.is_built_by(pattern))
        {
            return Err(Error::input(format!("{reference} was built by another builder"))
                .code(&code::registry::OTHER_BUILDER)
                .cause(format!(
                    "its builder is `{}`, and `{pattern}` was asked for",
                    provenance.builder
                )));
        }
        if let Some(pattern) = self.source.as_deref().filter(|pattern| !provenance.is_from(pattern)) {
            let source = match &provenance.source {
                Some(source) => format!("its sources are `{source}`"),
                None => "its provenance names no sources".to_owned(),
            };
            return Err(Error::input(format!("{reference} was built from other sources"))
                .code(&code::registry::OTHER_SOURCE)
                .cause(format!("{source}, and `{pattern}` was asked for")));
        }
        Ok(())
    }
}

/// Reads a public key.
fn public_key(path: &Path) -> Result<PublicKey> {
    let failure = || {
        Error::input(format!("the public key `{}` cannot be used", path.display()))
            .hint("make it from the private one: `openssl pkey -in FILE -pubout`")
    };
    let pem = std::fs::read(path).map_err(|error| failure().cause(error))?;
    PublicKey::from_pem(&pem).map_err(|error| failure().cause(error))
}

impl RemoteImage {
    /// Finds it by digest or by tag, and proves that what the registry gives has that digest.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn find(printer: &Printer, image: &str, purpose: Purpose, registry: &RegistryArguments) -> Result<Self> {
        let wrong = |why: String| {
            Error::input(format!("`{image}` is not an image in a registry"))
                .cause(why)
                .hint("write REPOSITORY:TAG, or REPOSITORY@sha256:… as `push` has printed it")
        };
        let reference = Reference::parse(image).map_err(wrong)?;
        let found = registry.credentials().login(&reference.repository, &purpose).await?;
        let target = Self::connect(&reference, purpose, found, &registry.tls_options()).await?;
        target
            .connection
            .warnings()
            .iter()
            .for_each(|text| printer.warning(text));
        Ok(target)
    }

    /// The same with a login that is known.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn connect(reference: &Reference, purpose: Purpose, found: FoundLogin, tls: &TlsOptions) -> Result<Self> {
        let Reference { repository, name } = reference;
        let connection = Connection::open(repository, purpose, found, tls).await?;
        let manifest = connection.manifest(name).await;
        let manifest = manifest.map_err(|error| connection.explain(&error))?;
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
    pub async fn signatures(&self) -> Result<Option<Blob>> {
        let manifest = self.connection.manifest(&signature::tag(&self.digest)).await;
        manifest.map_err(|error| self.connection.explain(&error))
    }

    /// Whether it is signed as the policy asks for.
    ///
    /// # Errors
    /// When not, or when that cannot be found out.
    pub async fn verify(&self, policy: &Policy) -> Result<()> {
        let reference = self.reference();
        let refused = || Error::input(format!("{reference} is not signed by this key"));
        let explained = |error: RegistryError| self.connection.explain(&error);
        let is_right = |named: &str| policy.accepts_repository(named, &self.connection.repository);
        let (mut best, mut count) = (Verdict::Nothing, 0);
        if let Some(manifest) = self.signatures().await? {
            let candidates = signature::candidates(manifest.bytes())
                .map_err(|error| refused().code(&code::registry::NOT_SIGNED).cause(error))?;
            for candidate in candidates {
                count += 1;
                let payload = self.connection.document(&candidate.digest).await.map_err(explained)?;
                let verdict = payload.map(|payload| candidate.verify(&policy.key, &self.digest, &payload, is_right));
                best = best.max(verdict.unwrap_or(Verdict::Nothing));
            }
        }
        if best != Verdict::Good {
            for sealed in self.bundles().await? {
                match bundle::verify(&policy.key, &self.digest, &sealed, is_right) {
                    // A statement about it, which is no signature of it.
                    Ok(Verdict::Nothing) => {}
                    judged => {
                        count += 1;
                        best = best.max(judged.unwrap_or(Verdict::Nothing));
                    }
                }
            }
        }
        match best {
            Verdict::Good => Ok(()),
            Verdict::OtherRepository(named) => Err(Error::input(format!(
                "{reference} is signed for another repository"
            ))
            .code(&code::registry::SIGNED_FOR_ANOTHER)
            .cause(format!("the signature by this key is of the image in {named}"))
            .hint(format!(
                "if it is meant to be a copy of that: --signed-as {named}; or sign it where it is: `deploy-tool sign \
                     {reference} --key FILE`"
            ))),
            Verdict::Nothing if count == 0 => Err(refused()
                .code(&code::registry::NOT_SIGNED)
                .cause("it has no signature at all")
                .hint(format!("sign it: `deploy-tool sign {reference} --key FILE`"))),
            Verdict::Nothing => Err(refused()
                .code(&code::registry::SIGNED_BY_OTHERS)
                .cause(format!("none of its {count} signatures matches this key"))
                .hint("use the key of who has signed it, or do not use the image")),
        }
    }

    /// The envelopes in the bundles that are attached to it.
    async fn bundles(&self) -> Result<Vec<Vec<u8>>> {
        let explained = |error: RegistryError| self.connection.explain(&error);
        let mut envelopes = Vec::new();
        for manifest in self.connection.referrers(&self.digest).await.map_err(explained)? {
            // Others may have attached whatever they like: what is no manifest is no signature.
            let Ok(manifest) = Manifest::from_blob(&manifest) else {
                continue;
            };
            let is_bundle = artifact::kind(&manifest).is_some_and(|kind| kind.starts_with(bundle::MEDIA_TYPE));
            let [layer] = manifest.layers.as_slice() else { continue };
            if !is_bundle || layer.size > MOST_BUNDLE_BYTES {
                continue;
            }
            let document = self.connection.document(&layer.digest).await.map_err(explained)?;
            envelopes.extend(document.and_then(|document| bundle::envelope(&document)));
        }
        Ok(envelopes)
    }

    /// The attached provenance, which is not signed yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn statement(&self) -> Result<Option<Vec<u8>>> {
        let explained = |error: RegistryError| self.connection.explain(&error);
        for manifest in self.connection.referrers(&self.digest).await.map_err(explained)? {
            let Ok(manifest) = Manifest::from_blob(&manifest) else {
                continue;
            };
            let is_provenance = artifact::kind(&manifest) == Some(provenance::MEDIA_TYPE);
            if let ([layer], true) = (manifest.layers.as_slice(), is_provenance) {
                return self.connection.document(&layer.digest).await.map_err(explained);
            }
        }
        Ok(None)
    }

    /// The manifest of its signed statements, and those among them that are provenance.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn envelopes(&self) -> Result<(Option<Blob>, Vec<Vec<u8>>)> {
        let explained = |error: RegistryError| self.connection.explain(&error);
        let tag = signature::statements_tag(&self.digest);
        let Some(manifest) = self.connection.manifest(&tag).await.map_err(explained)? else {
            return Ok((None, Vec::new()));
        };
        let digests = signature::envelopes(manifest.bytes(), provenance::PREDICATE).map_err(|error| {
            Error::input(format!("the statements about {} cannot be read", self.reference())).cause(error)
        })?;
        let mut envelopes = Vec::new();
        for digest in digests {
            envelopes.extend(self.connection.document(&digest).await.map_err(explained)?);
        }
        Ok((Some(manifest), envelopes))
    }

    /// The provenance that is signed by the key, if it meets the policy.
    ///
    /// # Errors
    /// When there is none, it violates the policy, or it cannot be read.
    pub async fn provenance(&self, policy: &Policy) -> Result<Provenance> {
        let (_, mut envelopes) = self.envelopes().await?;
        envelopes.extend(self.bundles().await?);
        let opened = envelopes.iter().map(|sealed| envelope::open(&policy.key, sealed));
        let provenance = provenance::find(&self.digest, opened).map_err(|error| {
            let code = match &error {
                ProvenanceError::Missing => &code::registry::NO_PROVENANCE,
                ProvenanceError::Envelope(EnvelopeError::Changed) => &code::registry::PROVENANCE_CHANGED,
                ProvenanceError::Envelope(_) => &code::registry::PROVENANCE_BY_OTHERS,
                ProvenanceError::Other(_) => &code::registry::PROVENANCE_OF_OTHER,
            };
            Error::input(format!("it is not known who built {}", self.reference()))
                .code(code)
                .cause(error)
        })?;
        policy.check_provenance(&self.reference(), &provenance)?;
        Ok(provenance)
    }
}

#[cfg(test)]
mod tests;
