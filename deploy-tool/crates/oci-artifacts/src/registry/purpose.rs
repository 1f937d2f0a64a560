//! Pure: what a repository is opened for, and so which rights are asked for and what could not be done.

use super::challenge::scope;
use super::reference::Repository;

/// What a repository is opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To read. Who may only read gets no token for more.
    Read,
    /// To write as well.
    Push {
        /// Another repository of the registry, which may be read.
        from: Option<String>,
    },
}

impl Purpose {
    /// The rights that a token has to have.
    pub fn scopes(&self, repository: &Repository) -> Vec<String> {
        let own = |actions| scope(&repository.path, actions);
        match self {
            Self::Read => vec![own("pull")],
            Self::Push { from } => {
                let sources = from.iter().map(|path| scope(path, "pull"));
                std::iter::once(own("pull,push")).chain(sources).collect()
            }
        }
    }

    /// What cannot be done when it fails.
    pub fn failing(&self, repository: &Repository) -> String {
        match self {
            Self::Read => format!("cannot read from {repository}"),
            Self::Push { .. } => format!("cannot push to {repository}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_asks_for_more_than_is_needed() {
        let repository = Repository::parse("x.io/shop").unwrap().0;
        let from = Some("base".to_owned());
        for (purpose, expected) in [
            (Purpose::Read, &["repository:shop:pull"] as &[&str]),
            (Purpose::Push { from: None }, &["repository:shop:pull,push"]),
            (
                Purpose::Push { from },
                &["repository:shop:pull,push", "repository:base:pull"],
            ),
        ] {
            assert_eq!(purpose.scopes(&repository), expected);
        }
    }
}
