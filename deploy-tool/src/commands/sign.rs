//! `deploy-tool sign`: adds a signature to an image in a registry, unless the key has signed it already.

use std::path::Path;

use serde::Serialize;

use super::verify::Target;
use crate::cli::SignArguments;
use crate::failure::{Failure, Outcome};
use crate::image::{Blob, Layout};
use crate::printer::{Printer, Progress};
use crate::registry::{self, Purpose};
use crate::signature::{self, PrivateKey, Signed};

/// What was signed. As JSON it is the `data` of the result of `sign --output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    /// The exact reference.
    reference: String,
    /// Whether there is a new signature.
    changed: bool,
}

/// Runs the command.
///
/// # Errors
/// When a step fails.
pub async fn run(printer: &Printer, arguments: SignArguments) -> Outcome<()> {
    let key = private_key(&arguments.key)?;
    let signing = async |progress: &Progress| {
        let target = Target::find(&arguments.image, Purpose::Push { from: None }, &arguments.registry).await?;
        let repository = target.connection.repository.to_string();
        let existing = target.signatures().await?;
        let signed = signature::sign(&key, &repository, &target.digest, existing.as_ref().map(Blob::bytes));
        let signed =
            signed.map_err(|error| Failure::input(format!("cannot sign {}", target.reference())).because(error))?;
        let changed = signed.is_some();
        if let Some(signed) = signed {
            let tags = [signature::tag(&target.digest)];
            registry::push(&target.connection, progress, &layout(signed), &tags, None).await?;
        }
        let did = if changed {
            "signed"
        } else {
            "signed by this key already"
        };
        progress.outcome(format!("{}: {did}", target.reference()));
        Ok(Result {
            reference: target.reference(),
            changed,
        })
    };
    let result = printer
        .step(&format!("signature of {}", arguments.image), signing)
        .await?;
    printer.result(&result, &result.reference);
    Ok(())
}

fn private_key(path: &Path) -> Outcome<PrivateKey> {
    let failure = || {
        Failure::input(format!("the private key `{}` cannot be used", path.display()))
            .next("make one: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE`")
    };
    let pem = std::fs::read(path).map_err(|error| failure().because(error))?;
    PrivateKey::from_pem(&pem).map_err(|error| failure().because(error))
}

/// The signatures as an image of their own, which is how registries keep them.
fn layout(signed: Signed) -> Layout {
    let blob = |media_type: &str, bytes: Vec<u8>| Blob::of(media_type, bytes);
    Layout {
        name: None,
        root: blob("application/vnd.oci.image.manifest.v1+json", signed.manifest),
        manifests: Vec::new(),
        blobs: vec![
            blob("application/vnd.oci.image.config.v1+json", signed.configuration),
            blob(signature::MEDIA_TYPE, signed.payload),
        ],
        referrers: Vec::new(),
    }
}
