//! Pure: where the sources of crates are from.

/// Where the sources of a crate are from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CrateSource {
    /// A registry.
    #[default]
    Registry,
    /// A git repository, by its address: often a fork.
    Git(String),
    /// A folder of this host, as of what stands in for a crate of a registry by `[patch]`.
    Folder,
}

/// The address of a git repository without branch and commit.
pub fn without_commit(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    address[..end].to_owned()
}
