//! Edge: an image in a registry, with its signatures and what is said of how it was built. [`signature`] and
//! [`provenance`] decide.

use crate::cli::RegistryArguments;
use diagnostics::code;
use diagnostics::{Failure, Outcome};
use oci_artifacts::image::Blob;
use oci_artifacts::image::specification::Manifest;
use oci_artifacts::provenance::{self, Disbelief, Provenance};
use oci_artifacts::registry::{Connection, Login, Problem, Purpose, Reference, Trust};
use oci_artifacts::signature::envelope::{self, EnvelopeError};
use oci_artifacts::signature::{self, PublicKey};

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

    /// The provenance that is attached to it. Nobody has signed it yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn statement(&self) -> Outcome<Option<Vec<u8>>> {
        let explained = |problem: Problem| self.connection.explain(&problem);
        let referrers = self.connection.referrers(&self.digest).await.map_err(explained)?;
        let is_provenance = |kind: Option<&str>| kind == Some(provenance::MEDIA_TYPE);
        for referrer in referrers
            .iter()
            .filter(|one| is_provenance(one.artifact_type.as_deref()))
        {
            let manifest = self.connection.manifest(&referrer.digest).await.map_err(explained)?;
            let layers = manifest.map(|manifest| Manifest::of(&manifest).layers);
            if let Some([layer]) = layers.as_deref() {
                return self.connection.document(&layer.digest).await.map_err(explained);
            }
        }
        Ok(None)
    }

    /// The manifest of its signed statements, and those among them that are provenance.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn envelopes(&self) -> Outcome<(Option<Blob>, Vec<Vec<u8>>)> {
        let explained = |problem: Problem| self.connection.explain(&problem);
        let tag = signature::statements_tag(&self.digest);
        let Some(manifest) = self.connection.manifest(&tag).await.map_err(explained)? else {
            return Ok((None, Vec::new()));
        };
        let digests = signature::envelopes(manifest.bytes(), provenance::PREDICATE).map_err(|error| {
            Failure::input(format!("the statements about {} cannot be read", self.reference())).because(error)
        })?;
        let mut envelopes = Vec::new();
        for digest in digests {
            envelopes.extend(self.connection.document(&digest).await.map_err(explained)?);
        }
        Ok((Some(manifest), envelopes))
    }

    /// What the holder of the key says of how it was built.
    ///
    /// # Errors
    /// When that is nothing, or cannot be found out.
    pub async fn provenance(&self, key: &PublicKey) -> Outcome<Provenance> {
        let (_, envelopes) = self.envelopes().await?;
        provenance::of(&self.digest, envelopes.iter().map(|sealed| envelope::open(key, sealed))).map_err(|error| {
            let code = match &error {
                Disbelief::Missing => &code::registry::NO_PROVENANCE,
                Disbelief::Envelope(EnvelopeError::Changed) => &code::registry::PROVENANCE_CHANGED,
                Disbelief::Envelope(_) => &code::registry::PROVENANCE_BY_OTHERS,
                Disbelief::Other(_) => &code::registry::PROVENANCE_OF_OTHER,
            };
            Failure::input(format!("it is not known who built {}", self.reference()))
                .code(code)
                .because(error)
        })
    }
}
