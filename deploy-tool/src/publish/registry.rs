//! Edge: brings built images into the registry that nodes pull them from.

use std::collections::BTreeMap;
use std::path::Path;

use crate::built::Built;
use crate::cli::RegistryArguments;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::git;
use oci_artifacts::image::store::{self, Outline};
use oci_artifacts::registry::{
    self, Connection, FoundLogin, Login, Purpose, Pushed, Repository, TlsOptions, reference,
};
use terminal::{Printer, Progress, RowState};

/// Repositories of one registry, one an image.
#[derive(Clone, Debug)]
pub struct Destination {
    /// What the names of its images begin with: `registry.example.com/team`.
    pub prefix: String,
    repositories: BTreeMap<String, Repository>,
    found: FoundLogin,
    tls: TlsOptions,
    tags: Vec<String>,
}

impl Destination {
    /// Below a prefix, for images by the names of their definitions; `tags` name each of them as well.
    ///
    /// # Errors
    /// When there is no such repository, or the login cannot be read.
    pub async fn with_prefix(
        prefix: &str,
        images: &BTreeMap<String, String>,
        reach: &RegistryArguments,
        tags: Vec<String>,
    ) -> Result<Self> {
        let repositories = repositories(prefix, images)?;
        let any = repositories.values().next();
        let found = match any {
            Some(repository) => {
                reach
                    .credentials()
                    .login(repository, &Purpose::Push { from: None })
                    .await?
            }
            None => FoundLogin::default(),
        };
        // As it stands in references: index.docker.io/you is docker.io/you there.
        let normal = any.map(ToString::to_string);
        let normal = normal.as_deref().and_then(|name| name.rsplit_once('/'));
        Ok(Self {
            prefix: normal.map_or(prefix, |(prefix, _)| prefix).to_owned(),
            tls: reach.tls_options(),
            repositories,
            found,
            tags,
        })
    }

    /// Asks the registry whether this login may push: before minutes of compiling.
    ///
    /// # Errors
    /// When not.
    pub async fn open(&self) -> Result<BTreeMap<String, Connection>> {
        let mut connections = BTreeMap::new();
        for (name, repository) in &self.repositories {
            let purpose = Purpose::Push { from: None };
            let connection = Connection::open(repository, purpose, self.found.clone(), &self.tls).await?;
            // The first answer only has the method of authentication; this request verifies the password.
            let tag = self.tags.first().map_or("latest", String::as_str);
            let found = connection.fetch_digest(tag).await;
            found.map_err(|error| connection.explain(&error))?;
            connections.insert(name.clone(), connection);
        }
        Ok(connections)
    }

    /// Pushes the images with an open connection, and reports them.
    ///
    /// # Errors
    /// When one cannot be pushed; then its tags are unchanged.
    pub async fn push(
        &self,
        printer: &Printer,
        connections: &BTreeMap<String, Connection>,
        built: &[Built],
    ) -> Result<()> {
        for image in built {
            if let Some(connection) = connections.get(&image.name) {
                let outline = store::outline(&image.layout)?;
                push(printer, connection, &outline, &self.tags, None).await?;
            }
        }
        Ok(())
    }

    /// The exact references that images get there, by the names of their definitions.
    pub fn references(&self, built: &[Built]) -> BTreeMap<String, String> {
        let references = built.iter().filter_map(|image| {
            let repository = self.repositories.get(&image.name)?;
            Some((image.name.clone(), format!("{repository}@{}", image.digest)))
        });
        references.collect()
    }

    /// The login for its registry, if it is the registry of a repository.
    pub fn login_for(&self, repository: &Repository) -> Option<&Login> {
        let own = self.repositories.values().next()?;
        self.found
            .login
            .as_ref()
            .filter(|_| own.registry == repository.registry)
    }
}

/// The repository of each definition: the registry's part and the last one of the image's own name.
fn repositories(prefix: &str, images: &BTreeMap<String, String>) -> Result<BTreeMap<String, Repository>> {
    let prefix = prefix.trim_end_matches('/');
    let repository = |(definition, image): (&String, &String)| {
        let name = image.rsplit('/').next().unwrap_or(image);
        let (repository, _) = Repository::parse(&format!("{prefix}/{name}")).map_err(|why| {
            Error::input(format!("images cannot be pushed to `{prefix}`"))
                .cause(why)
                .hint("name a registry and what comes before the images' names: --registry docker.io/you")
        })?;
        Ok((definition.clone(), repository))
    };
    images.iter().map(repository).collect()
}

/// The tag by `git describe` for the commit that an image was built from, if there is one.
pub async fn described_tag(workspace: &Path) -> Option<String> {
    let description = git::description(workspace).await?;
    reference::tag_from_description(&description)
}

/// Pushes an image as a step of a command.
///
/// # Errors
/// When it cannot be pushed; then every tag is as it was.
pub async fn push(
    printer: &Printer,
    connection: &Connection,
    outline: &Outline,
    tags: &[String],
    from: Option<&str>,
) -> Result<Pushed> {
    let pushing = async |progress: &Progress| {
        let pushed = registry::push(connection, &PushProgress(progress), &outline.layout, tags, from).await?;
        progress.outcome(pushed.sentence());
        Ok(pushed)
    };
    let pushed = printer
        .step(&format!("pushed to {}", connection.repository), pushing)
        .await;
    // The registry verifies all digests, so they are not verified before. When it finds a mismatch, they are verified here,
    // to tell whether the data was damaged in transit or before.
    if let Err(failure) = &pushed
        && failure.number() == Some(&code::registry::DIGEST_MISMATCH)
    {
        outline.check()?;
    }
    if let Ok(pushed) = &pushed {
        pushed.warnings.iter().for_each(|text| printer.warning(text));
    }
    pushed
}

/// How far a push is, in the live table.
pub struct PushProgress<'a>(pub &'a Progress);

impl registry::Progress for PushProgress<'_> {
    fn activity(&self, text: &str) {
        self.0.activity(text);
    }

    fn blobs(&self, rows: Vec<registry::BlobRow>) {
        let row = |row: registry::BlobRow| terminal::Row {
            title: row.title,
            state: if row.done { RowState::Done } else { RowState::Waiting },
            ready: None,
            reason: row.text,
        };
        self.0.rows(rows.into_iter().map(row).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_keep_their_own_names() {
        let images = [("app".to_owned(), "localhost/orders".to_owned())].into();
        for (prefix, expected) in [
            ("docker.io/you", "docker.io/you/orders"),
            ("you", "docker.io/you/orders"),
            ("localhost:5000", "localhost:5000/orders"),
            ("x.io:5000/a/b/", "x.io:5000/a/b/orders"),
        ] {
            assert_eq!(repositories(prefix, &images).unwrap()["app"].to_string(), expected);
        }
        for prefix in ["x.io/you:1", "https://x.io", "x.io/You"] {
            assert!(repositories(prefix, &images).is_err(), "{prefix}");
        }
    }

    #[test]
    fn a_password_goes_to_its_own_registry_alone() {
        let destination = Destination {
            prefix: "x.io/team".to_owned(),
            repositories: repositories("x.io/team", &[("app".to_owned(), "orders".to_owned())].into()).unwrap(),
            found: FoundLogin::from_login(Login::password("ann", "secret")),
            tls: TlsOptions::default(),
            tags: Vec::new(),
        };
        let repository = |name| Repository::parse(name).unwrap().0;
        assert!(destination.login_for(&repository("x.io/else/a")).is_some());
        assert!(destination.login_for(&repository("y.io/team/a")).is_none());
    }
}
