//! Pure: parses `cargo metadata` of a workspace, and selects the packages of a module.

pub mod path_crate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::path_crate::PathCrate;
use crate::target_cfg;
use oci_artifacts::bom::lock_file::{self, LockedPackage};

/// A Cargo workspace.
#[derive(Clone, Debug, Deserialize)]
pub struct Workspace {
    /// Its folder.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Its members.
    pub packages: Vec<Package>,
    /// The crates that it names by `path` and that are no members.
    #[serde(skip)]
    pub path_crates: Vec<PathCrate>,
}

/// A member of a workspace.
#[derive(Clone, Debug, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    /// The dependencies in its manifest.
    pub dependencies: Vec<Dependency>,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    version: Option<String>,
    /// Its `rust-version`, the workspace's too.
    pub rust_version: Option<String>,
    description: Option<String>,
    license: Option<String>,
    repository: Option<String>,
    documentation: Option<String>,
    homepage: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Target {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|one| one == kind)
    }

    /// Whether it is a library that is linked into a guest. Its kinds are many: `lib`, `rlib`, `cdylib` and others.
    fn is_of_library(&self) -> bool {
        const NO_LIBRARY: [&str; 6] = ["bin", "test", "example", "bench", "custom-build", "proc-macro"];
        !NO_LIBRARY.iter().any(|kind| self.is(kind))
    }
}

/// A dependency in a manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// The package's name, whatever it is called here.
    pub name: String,
    /// Which versions.
    pub req: String,
    /// The name that it has in the manifest, where that is another one.
    pub rename: Option<String>,
    /// The features that are asked for.
    pub features: Vec<String>,
    /// Whether those that its author turns on are on.
    pub uses_default_features: bool,
    /// Whether a feature of the package turns it on.
    pub optional: bool,
    /// The condition of its table, such as `cfg(unix)`, or nothing.
    pub target: Option<String>,
    /// The index of its registry, where that is not crates.io.
    pub registry: Option<String>,
    /// Where it is from, as Cargo.lock writes it; nothing for a folder.
    pub source: Option<String>,
    path: Option<PathBuf>,
    /// `dev`, `build`, or nothing.
    kind: Option<String>,
}

impl Dependency {
    /// Whether it is linked into a guest.
    pub fn is_of_guest(&self) -> bool {
        let for_guest = self.target.as_deref().is_none_or(target_cfg::has_platform);
        self.kind.is_none() && for_guest
    }

    /// Whether its requirement matches a version, by the first nonzero number.
    pub fn takes(&self, version: &str) -> bool {
        let requirement = self.req.trim_start_matches(['^', '=', '~', '>', ' ']);
        let (mut wanted, mut given) = (requirement.split(['.', ',']), version.split('.'));
        match (wanted.next(), given.next()) {
            (Some("0"), Some("0")) => wanted.next() == given.next(),
            (Some("*"), _) => true,
            (wanted, given) => wanted == given,
        }
    }
}

/// A package that cannot be made into a module.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// There is none of that name.
    #[error("the workspace has no package `{0}`; it has: {1}")]
    NoPackage(String, String),
    /// It has no binary of its own name.
    #[error("the package `{0}` has no binary of the same name; {1}")]
    NoBinary(String, String),
    /// The builder sees the workspace alone.
    #[error(
        "`{0}` names `{1}` in `{2}`, which is outside of the workspace, and the builder sees nothing else: make it a member \
         (a Cargo.toml with both as `members`, in a folder above both), or name it by `git` or a registry"
    )]
    Elsewhere(String, String, String),
}

impl Package {
    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    /// Its Cargo.toml.
    pub fn manifest(&self) -> &Path {
        &self.manifest_path
    }

    /// All of its features that are enabled by these.
    pub fn features_with(&self, requested: &[String]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut waiting = vec!["default"];
        waiting.extend(requested.iter().map(String::as_str));
        while let Some(feature) = waiting.pop() {
            if let Some(more) = self.features.get(feature)
                && found.insert(feature.to_owned())
            {
                waiting.extend(more.iter().map(String::as_str));
            }
        }
        found
    }

    /// The names of its binaries.
    pub fn binaries(&self) -> impl Iterator<Item = &str> {
        let binaries = self.targets.iter().filter(|target| target.is("bin"));
        binaries.map(|target| target.name.as_str())
    }

    /// The source file of a binary, from the package's folder.
    pub fn binary_source(&self, name: &str) -> &Path {
        let is_it = |target: &&Target| target.name == name && target.is("bin");
        let source = self.targets.iter().find(is_it).map(|target| target.src_path.as_path());
        let source = source.unwrap_or(Path::new("src/main.rs"));
        source.strip_prefix(self.folder()).unwrap_or(source)
    }

    /// The source files that a module of it starts from: the library, and the binary of its name. Where it has none of that
    /// name, it is not known yet which one becomes the module: all binaries.
    pub fn module_sources(&self) -> impl Iterator<Item = &Path> {
        let has_own = self.binaries().any(|name| name == self.name);
        let is_of_module = move |target: &&Target| {
            target.is_of_library() || (target.is("bin") && (!has_own || target.name == self.name))
        };
        self.targets
            .iter()
            .filter(is_of_module)
            .map(|target| target.src_path.as_path())
    }

    /// The source file of its library: what it brings to a module of another package.
    pub fn library_sources(&self) -> impl Iterator<Item = &Path> {
        let libraries = self.targets.iter().filter(|target| target.is_of_library());
        libraries.map(|target| target.src_path.as_path())
    }

    /// The source file of its build script.
    pub fn build_script(&self) -> Option<&Path> {
        let script = self.targets.iter().find(|target| target.is("custom-build"));
        script.map(|target| target.src_path.as_path())
    }

    /// The metadata in its Cargo.toml as annotations of an image. Everything else would differ between checkouts.
    /// <https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys>
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let fields = [
            ("title", Some(&self.name)),
            ("version", self.version.as_ref()),
            ("description", self.description.as_ref()),
            ("licenses", self.license.as_ref()),
            ("source", self.repository.as_ref()),
            ("documentation", self.documentation.as_ref()),
            ("url", self.homepage.as_ref()),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(key, value)| Some((format!("org.opencontainers.image.{key}"), value?.clone())));
        fields.collect()
    }

    /// Whether a package of a registry depends on it, which `[patch]` alone can make so.
    /// <https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html#the-patch-section>
    fn stands_in(&self, locked: &[LockedPackage]) -> bool {
        let of_registry = locked.iter().filter(|package| package.source.is_some());
        let mut dependencies = of_registry.flat_map(|package| &package.dependencies);
        dependencies.any(|dependency| dependency.is(&self.name, self.version.as_deref()) && dependency.source.is_none())
    }

    /// The source files that its targets start from.
    pub fn target_sources(&self) -> impl Iterator<Item = &Path> {
        self.targets.iter().map(|target| target.src_path.as_path())
    }
}

impl Workspace {
    /// The folder that all of it is in: the workspace's own, or one above it, where members lie beside it.
    pub fn base(&self) -> &Path {
        let has_all = |folder: &&Path| self.packages.iter().all(|package| package.folder().starts_with(folder));
        self.root.ancestors().find(has_all).unwrap_or(&self.root)
    }

    /// A path of it from its [base](Self::base); none for what lies elsewhere.
    pub fn relative<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(self.base()).ok()
    }

    /// A member by its name.
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The packages whose sources go into a module: the named one, the members it depends on, however indirectly, but for
    /// its tests, and those that stand in for packages of a registry, by the workspace's Cargo.lock.
    ///
    /// # Errors
    /// When there is no such package, it is no binary, or the workspace names a crate outside of it.
    pub fn package_sources(&self, name: &str, lock: &str) -> Result<Vec<&Package>, WorkspaceError> {
        let Some(package) = self.package(name) else {
            let names: Vec<&str> = self.packages.iter().map(|package| package.name.as_str()).collect();
            return Err(WorkspaceError::NoPackage(name.to_owned(), names.join(", ")));
        };
        if !package.binaries().any(|binary| binary == name) {
            let binaries: Vec<&str> = package.binaries().collect();
            let has = if binaries.is_empty() {
                "it has none, and a module is made of one: src/main.rs".to_owned()
            } else {
                format!(
                    "it has {}: a [[bin]] with `name = \"{name}\"` and `path = \"{}\"` makes one the module",
                    binaries.join(", "),
                    package.binary_source(binaries[0]).display()
                )
            };
            return Err(WorkspaceError::NoBinary(name.to_owned(), has));
        }
        if let Some(PathCrate {
            owner, name, folder, ..
        }) = self.outside().into_iter().next()
        {
            return Err(WorkspaceError::Elsewhere(owner, name, folder.display().to_string()));
        }
        Ok(self.members_of(package, lock))
    }

    /// A package, the members it depends on but for its tests, and those that stand in for packages of a registry.
    pub fn members_of(&self, package: &Package, lock: &str) -> Vec<&Package> {
        let locked = lock_file::packages(lock);
        let stand_ins = self.packages.iter().filter(|package| package.stands_in(&locked));
        let chosen = self.packages.iter().filter(|one| one.folder() == package.folder());
        let mut waiting: Vec<&Package> = stand_ins.chain(chosen).collect();
        let mut found: BTreeSet<&Path> = waiting.iter().map(|package| package.folder()).collect();
        while let Some(package) = waiting.pop() {
            let of_module = package
                .dependencies
                .iter()
                .filter(|one| one.kind.as_deref() != Some("dev"));
            for next in of_module.filter_map(|dependency| self.member(dependency)) {
                if found.insert(next.folder()) {
                    waiting.push(next);
                }
            }
        }
        self.packages
            .iter()
            .filter(|package| found.contains(package.folder()))
            .collect()
    }

    /// The member that a dependency is.
    pub fn member(&self, dependency: &Dependency) -> Option<&Package> {
        let path = dependency.path.as_deref()?;
        self.packages.iter().find(|package| package.folder() == path)
    }

    /// The crates that members name by `path`, for whatever, and that are no members.
    pub fn named_by_members(&self) -> impl Iterator<Item = PathCrate> {
        let named = self
            .packages
            .iter()
            .flat_map(|package| package.dependencies.iter().map(move |dependency| (package, dependency)));
        let others = named.filter(|(_, dependency)| self.member(dependency).is_none());
        others.filter_map(|(package, dependency)| {
            Some(PathCrate {
                owner: package.name.clone(),
                manifest: package.manifest_path.clone(),
                name: dependency.name.clone(),
                folder: dependency.path.clone()?,
            })
        })
    }

    /// The crates outside of its [base](Self::base) that it names. Cargo wants to see each of them, whatever is compiled, and
    /// the builder has none.
    pub fn outside(&self) -> BTreeSet<PathCrate> {
        let named = self.named_by_members().chain(self.path_crates.iter().cloned());
        named.filter(|one| self.relative(&one.folder).is_none()).collect()
    }

    /// The folders of crates that are no members and lie in its [base](Self::base).
    pub fn inner_folders(&self) -> impl Iterator<Item = &Path> {
        let folders = self.path_crates.iter().map(|one| one.folder.as_path());
        folders.filter(|folder| self.relative(folder).is_some())
    }
}

#[cfg(test)]
mod tests;
