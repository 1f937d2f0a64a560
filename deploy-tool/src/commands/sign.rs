//! `deploy-tool sign`: signs an image in a registry and the provenance that is attached to it, unless the key has signed
//! them already.

use std::path::Path;

use serde::Serialize;

use super::remote_image::RemoteImage;
use crate::cli::SignArguments;
use crate::publish::registry::PushProgress;
use diagnostics::code;
use diagnostics::{Error, Result};
use oci_artifacts::image::{Blob, Layout};
use oci_artifacts::provenance::{self, Provenance};
use oci_artifacts::registry::{self, Purpose};
use oci_artifacts::signature::{self, PrivateKey, SignatureError, Signed, envelope};
use terminal::{Printer, Progress};

/// The signed image. As JSON it is the `data` of the result of `sign --output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignReport {
    /// The exact reference.
    reference: String,
    /// Whether there is a new signature.
    changed: bool,
    /// The builder in the signed provenance.
    builder: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: SignArguments) -> Result<()> {
    let key = private_key(&arguments.key)?;
    let purpose = Purpose::Push { from: None };
    let target = RemoteImage::find(printer, &arguments.image, purpose, &arguments.registry).await?;
    let reference = target.reference();
    // What the image is said to be comes first: nothing is signed where that is of another image.
    let statement = target.statement().await?;
    let (mut changed, mut builder) = (false, None);
    if let Some(statement) = &statement {
        builder = Some(built(&target, statement)?.builder);
        changed |= printer
            .step(&format!("provenance of {}", arguments.image), async |progress| {
                sign_provenance(progress, &key, &target, statement).await
            })
            .await?;
    }
    changed |= printer
        .step(&format!("signature of {}", arguments.image), async |progress| {
            sign_image(progress, &key, &target).await
        })
        .await?;
    if statement.is_none() {
        printer.info("  it has no provenance: what `deploy-tool build` makes has it, and `push` attaches it");
    }
    let report = SignReport {
        reference,
        changed,
        builder,
    };
    printer.result(&report, &report.reference);
    Ok(())
}

/// Parses the provenance. It must be about this image before it is signed.
fn built(target: &RemoteImage, statement: &[u8]) -> Result<Provenance> {
    let refused = || Error::input(format!("the provenance of {} is not signed", target.reference()));
    let provenance = Provenance::read(statement)
        .ok_or_else(|| refused().cause("what is attached is no SLSA provenance that can be read"))?;
    if provenance.is_about(&target.digest) {
        Ok(provenance)
    } else {
        Err(refused()
            .code(&code::registry::PROVENANCE_OF_OTHER)
            .cause(format!("it is about {}", provenance.subjects.join(", "))))
    }
}

async fn sign_provenance(
    progress: &Progress,
    key: &PrivateKey,
    target: &RemoteImage,
    statement: &[u8],
) -> Result<bool> {
    let (existing, envelopes) = target.envelopes().await?;
    let is_ours = |sealed: &Vec<u8>| envelope::open(&key.public(), sealed).is_ok_and(|found| found == statement);
    if envelopes.iter().any(is_ours) {
        return Ok(report_outcome(
            progress,
            &format!("provenance of {}", target.reference()),
            false,
        ));
    }
    let sealed = envelope::seal(key, statement).map_err(|error| signing_error(target, error))?;
    let existing = existing.as_ref().map(Blob::bytes);
    let signed = signature::attach(sealed, provenance::PREDICATE, existing);
    let signed = signed.map_err(|error| signing_error(target, error))?;
    let tag = signature::statements_tag(&target.digest);
    push(progress, target, layout(envelope::MEDIA_TYPE, signed), tag).await?;
    Ok(report_outcome(
        progress,
        &format!("provenance of {}", target.reference()),
        true,
    ))
}

async fn sign_image(progress: &Progress, key: &PrivateKey, target: &RemoteImage) -> Result<bool> {
    let existing = target.signatures().await?;
    let repository = target.connection.repository.to_string();
    let signed = signature::sign(key, &repository, &target.digest, existing.as_ref().map(Blob::bytes));
    let Some(signed) = signed.map_err(|error| signing_error(target, error))? else {
        return Ok(report_outcome(progress, &target.reference(), false));
    };
    let tag = signature::tag(&target.digest);
    push(progress, target, layout(signature::MEDIA_TYPE, signed), tag).await?;
    Ok(report_outcome(progress, &target.reference(), true))
}

async fn push(progress: &Progress, target: &RemoteImage, layout: Layout, tag: String) -> Result<()> {
    let pushed = registry::push(&target.connection, &PushProgress(progress), &layout, &[tag], None).await;
    pushed.map(drop)
}

fn report_outcome(progress: &Progress, image: &str, changed: bool) -> bool {
    let outcome = if changed {
        "signed"
    } else {
        "signed by this key already"
    };
    progress.outcome(format!("{image}: {outcome}"));
    changed
}

fn signing_error(target: &RemoteImage, error: SignatureError) -> Error {
    Error::input(format!("cannot sign {}", target.reference())).cause(error)
}

fn private_key(path: &Path) -> Result<PrivateKey> {
    let failure = || {
        Error::input(format!("the private key `{}` cannot be used", path.display()))
            .hint("make one: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE`")
    };
    let pem = std::fs::read(path).map_err(|error| failure().cause(error))?;
    PrivateKey::from_pem(&pem).map_err(|error| failure().cause(error))
}

/// The signatures as an image of their own, which is how registries keep them.
fn layout(media_type: &str, signed: Signed) -> Layout {
    let blob = |media_type: &str, bytes: Vec<u8>| Blob::from_bytes(media_type, bytes);
    Layout {
        name: None,
        root: blob("application/vnd.oci.image.manifest.v1+json", signed.manifest),
        manifests: Vec::new(),
        absent: Vec::new(),
        blobs: vec![
            blob("application/vnd.oci.image.config.v1+json", signed.configuration),
            blob(media_type, signed.payload),
        ],
        referrers: Vec::new(),
    }
}
