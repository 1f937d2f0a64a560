//! How an image is run. Field order is the order of the bytes, so it is part of the digest.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/config.md>

use std::collections::BTreeMap;

use serde::Serialize;

use super::variant::{Contents, ENGINE_LABEL, MODULE_LABEL, VARIANT, VARIANT_ANNOTATION, Variant};
use crate::{Digest, digest};

/// The creation time of every image: a true one would make a new digest each time.
const CREATED: &str = "1970-01-01T00:00:00Z";

#[derive(Debug, Serialize)]
pub struct Configuration {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    config: Process,
    rootfs: RootFilesystem,
    history: Vec<History>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process {
    user: String,
    entrypoint: Vec<String>,
    working_dir: &'static str,
    labels: BTreeMap<String, String>,
    stop_signal: String,
}

#[derive(Debug, Serialize)]
struct RootFilesystem {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<Digest>,
}

#[derive(Debug, Serialize)]
struct History {
    created: &'static str,
    created_by: &'static str,
}

/// The configuration of one platform's image.
pub fn configuration(contents: &Contents<'_>, variant: &Variant<'_>) -> Configuration {
    let definition = contents.definition;
    let mut labels = BTreeMap::from([
        (MODULE_LABEL.to_owned(), digest::hex(contents.module)),
        (VARIANT_ANNOTATION.to_owned(), VARIANT.to_owned()),
    ]);
    if let Some(engine) = variant.engine {
        labels.insert(ENGINE_LABEL.to_owned(), engine.to_owned());
    }
    Configuration {
        created: CREATED,
        architecture: variant.architecture,
        os: "linux",
        config: Process {
            user: definition.user.clone(),
            entrypoint: vec![definition.module.clone()],
            working_dir: "/",
            labels,
            stop_signal: definition.stop_signal.clone(),
        },
        rootfs: RootFilesystem {
            kind: "layers",
            diff_ids: vec![Digest::of(&variant.tar)],
        },
        history: vec![History {
            created: CREATED,
            created_by: "deploy-tool build",
        }],
    }
}
