//! Edge: a plan in a file, to be applied later exactly as it was shown.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Plan;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::atomic_file;

/// The name of the file's form.
const SCHEMA: &str = "deploy-tool.dev/saved-plan/v1";
/// The file contains the Secrets of the manifests: only its owner may read it.
const MODE: u32 = 0o600;

/// A plan, and the cluster that it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    schema: String,
    /// The context it was made with.
    pub context: String,
    /// The identity of the cluster: the uid of its namespace `kube-system`. None when the user may not read it.
    pub cluster: Option<String>,
    /// When it was made, by the cluster's clock.
    pub made: Timestamp,
    /// The plan.
    pub plan: Plan,
}

impl Saved {
    /// A plan to be saved.
    pub fn new(context: &str, cluster: Option<String>, made: Timestamp, plan: Plan) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            context: context.to_owned(),
            cluster,
            made,
            plan,
        }
    }
}

/// Writes a file that only its owner may read, also where there is one with another mode.
///
/// # Errors
/// When it cannot be written; then an existing file is unchanged.
pub fn write(path: &Path, saved: &Saved) -> Result<()> {
    let message = || format!("cannot save the plan in `{}`", path.display());
    let text = serde_json::to_vec_pretty(saved).map_err(|error| Error::input(message()).cause(error))?;
    let staged = atomic_file::stage(path, &text, MODE).map_err(|error| Error::file(message(), &error))?;
    match staged.persist(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::file(message(), &error.error)),
    }
}

/// Reads such a file.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read(path: &Path) -> Result<Saved> {
    let unusable = |error: &dyn std::fmt::Display| {
        Error::input(format!("`{}` is not a saved plan", path.display()))
            .code(&code::input::UNREADABLE_PLAN)
            .cause(error)
            .hint(format!(
                "save the plan again: `deploy-tool plan --save {}`",
                path.display()
            ))
    };
    let bytes = std::fs::read(path).map_err(|error| unusable(&error))?;
    let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| unusable(&error))?;
    if saved.schema == SCHEMA {
        Ok(saved)
    } else {
        Err(unusable(&format!("its form is `{}`, not `{SCHEMA}`", saved.schema)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Name;
    use std::os::unix::fs::PermissionsExt;

    fn saved() -> Saved {
        let plan = Plan {
            release: Name::new(Some("shop"), None, &[]).unwrap(),
            steps: Vec::new(),
            exact: false,
        };
        Saved::new(
            "kind-a",
            Some("uid".into()),
            "2026-11-22T20:00:00Z".parse().unwrap(),
            plan,
        )
    }

    #[test]
    fn comes_back_as_it_was_and_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        std::fs::write(&path, "older").unwrap();
        write(&path, &saved()).unwrap();
        assert_eq!(read(&path).unwrap(), saved());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        for text in ["", "{}", "not json"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(
                read(&path).unwrap_err().number(),
                Some(&code::input::UNREADABLE_PLAN),
                "{text}"
            );
        }
        let newer = Saved {
            schema: "deploy-tool.dev/saved-plan/v9".into(),
            ..saved()
        };
        write(&path, &newer).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("v9"));
        assert!(read(&folder.path().join("absent")).is_err());
        assert!(write(Path::new("/no/such/folder/plan"), &saved()).is_err());
    }
}
