//! Pure: a release is a named set of objects in a namespace, which `up` applies together and which owns what it applied.

mod claim;
mod history;
mod identity;
pub mod listing;
mod name;
pub mod record;
mod removal;
mod revision;
mod rollback;

pub use claim::{claim_annotation, claim_manager, claiming_releases};
pub use history::{History, LockState, SILENCE_LIMIT, refuse_another_release};
pub use identity::Identity;
pub use name::Name;
pub use record::Record;
pub use removal::{claims_of, is_foreign};
pub use revision::{HolderIdentity, Revision, State};
pub use rollback::{images_of_placeholders, no_such_revision, rollback_target};

/// The annotation of an object that names its release: `namespace/name`.
pub const RELEASE_ANNOTATION: &str = "deploy-tool.dev/release";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    pub(super) fn release() -> Name {
        Name::new(Some("shop"), None, &[]).unwrap()
    }

    pub(super) fn identity(name: &str) -> Identity {
        Identity {
            group: String::new(),
            version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some("shop".into()),
            name: name.into(),
        }
    }

    pub(super) fn revision(number: u32) -> Revision {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {a: b}\n";
        let objects = parse("x.yaml", text).unwrap();
        Revision {
            number,
            state: State::Deployed,
            reason: "up".into(),
            message: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
            finished: None,
            deployer: HolderIdentity {
                host: "me@here".into(),
                cache_id: "cache".into(),
                boot_id: "boot".into(),
                process: 7,
            },
            objects: objects.into_iter().map(|object| object.value).collect(),
            inventory: [identity("a")].into(),
            kept: [].into(),
            completed: [].into(),
        }
    }
}
