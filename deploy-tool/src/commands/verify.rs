//! `deploy-tool verify`: whether the holder of a key has signed an image in a registry, and who built it.

use std::path::Path;

use serde::Serialize;

use super::target::Target;
use crate::cli::VerifyArguments;
use diagnostics::code;
use diagnostics::{Failure, Outcome};
use oci_artifacts::provenance::Provenance;
use oci_artifacts::registry::Purpose;
use oci_artifacts::signature::PublicKey;
use terminal::Printer;

/// What was verified. As JSON it is the `data` of the result of `verify --output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    /// The exact reference: what a tag leads to may change, the signature is of this digest.
    reference: String,
    /// The digest that is signed.
    digest: String,
    /// The name of the key.
    key: String,
    /// Who built it, as the holder of the key says; none without signed provenance.
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
pub async fn run(printer: &Printer, arguments: VerifyArguments) -> Outcome<()> {
    let key = public_key(&arguments.key)?;
    let target = Target::find(&arguments.image, Purpose::Read, &arguments.registry).await?;
    target.verify(&key).await?;
    let provenance = match (target.provenance(&key).await, &arguments.builder) {
        (provenance, Some(pattern)) => Some(built_by(&target, provenance?, pattern)?),
        (Ok(provenance), None) => Some(provenance),
        (Err(failure), None) if failure.number() == Some(&code::registry::NO_PROVENANCE) => None,
        (Err(failure), None) => {
            printer.warning(&failure.to_string());
            None
        }
    };
    let result = Result {
        reference: target.reference(),
        digest: target.digest.clone(),
        key: key.fingerprint(),
        builder: provenance.as_ref().map(|provenance| provenance.builder.clone()),
        source: provenance.as_ref().and_then(|provenance| provenance.source.clone()),
        revision: provenance.and_then(|provenance| provenance.revision),
    };
    printer.say(&text(&result));
    printer.result(&result, &result.reference);
    Ok(())
}

fn built_by(target: &Target, provenance: Provenance, pattern: &str) -> Outcome<Provenance> {
    match provenance.is_built_by(pattern) {
        true => Ok(provenance),
        false => Err(
            Failure::input(format!("{} was built by somebody else", target.reference()))
                .code(&code::registry::OTHER_BUILDER)
                .because(format!(
                    "its builder is `{}`, and `{pattern}` was asked for",
                    provenance.builder
                )),
        ),
    }
}

fn text(result: &Result) -> String {
    let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
    let rows = [
        ("digest", result.digest.clone()),
        ("signed by", result.key.clone()),
        ("builder", or_unknown(&result.builder)),
        ("source", or_unknown(&result.source)),
        ("revision", or_unknown(&result.revision)),
    ];
    let rows = rows.map(|(name, value)| format!("  {name:<9}  {value}"));
    rows.join("\n")
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
