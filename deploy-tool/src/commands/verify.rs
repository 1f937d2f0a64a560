//! `deploy-tool verify`: whether the holder of a key has signed an image in a registry, and who built it.

use serde::Serialize;

use super::remote_image::{Policy, RemoteImage};
use crate::cli::VerifyArguments;
use diagnostics::Result;
use diagnostics::code;
use oci_artifacts::Digest;
use oci_artifacts::registry::Purpose;
use terminal::Printer;

/// The verified image. As JSON it is the `data` of the result of `verify --output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifyReport {
    /// The exact reference: what a tag leads to may change, the signature is of this digest.
    reference: String,
    /// The digest that is signed.
    digest: Digest,
    /// The name of the key.
    key: String,
    /// The builder in the signed provenance; none without one.
    builder: Option<String>,
    /// Where the sources are.
    source: Option<String>,
    /// The commit of the sources.
    revision: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When the image cannot be read, is not signed by the key, or was built by another builder than asked for.
pub async fn run(printer: &Printer, arguments: VerifyArguments) -> Result<()> {
    let VerifyArguments {
        image,
        key,
        builder,
        source,
        signed_as,
        registry,
    } = arguments;
    let policy = Policy::new(&key, &signed_as, builder.as_deref(), source.as_deref())?;
    let target = RemoteImage::find(printer, &image, Purpose::Read, &registry).await?;
    target.verify(&policy).await?;
    let provenance = match target.provenance(&policy).await {
        Ok(provenance) => Some(provenance),
        Err(failure) if policy.asks_for_provenance() => return Err(failure),
        Err(failure) if failure.number() == Some(&code::registry::NO_PROVENANCE) => None,
        Err(failure) => {
            printer.warning(&failure.to_string());
            None
        }
    };
    let report = VerifyReport {
        reference: target.reference(),
        digest: target.digest.clone(),
        key: policy.key.fingerprint(),
        builder: provenance.as_ref().map(|provenance| provenance.builder.clone()),
        source: provenance.as_ref().and_then(|provenance| provenance.source.clone()),
        revision: provenance.and_then(|provenance| provenance.revision),
    };
    printer.info(&text(&report));
    printer.result(&report, &report.reference);
    Ok(())
}

fn text(report: &VerifyReport) -> String {
    let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
    let rows = [
        ("digest", report.digest.to_string()),
        ("signed by", report.key.clone()),
        ("builder", or_unknown(&report.builder)),
        ("source", or_unknown(&report.source)),
        ("revision", or_unknown(&report.revision)),
    ];
    let rows = rows.map(|(name, value)| format!("  {name:<9}  {value}"));
    rows.join("\n")
}
