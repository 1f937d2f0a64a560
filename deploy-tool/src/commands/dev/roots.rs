//! Edge: the files that a deployment is made of: sources, manifests, image definitions.

use std::path::{Component, Path, PathBuf};

use crate::cli::{ClusterArguments, SourceArguments};
use crate::commands::{build, module_source};
use crate::watching::Roots;
use releases::manifest;
use wasm_build::compile;
use wasm_build::inputs::WORKSPACE_FILES;
use wasm_build::workspace::Workspace;

/// The files of a deployment, by the manifests as they are now. What cannot be read is reported by the deployment: here, the
/// files that can put it right are among them, and all that there were before.
pub async fn roots(cluster_arguments: &ClusterArguments, source: &SourceArguments, before: &Roots) -> Roots {
    let mut roots = manifests(cluster_arguments);
    let paths = cluster_arguments.manifests();
    let Ok(objects) = paths.and_then(|paths| manifest::load(&paths)) else {
        return roots.joined(before);
    };
    let mut is_complete = true;
    for name in manifest::placeholders(&objects) {
        is_complete &= add_image(&mut roots, source, &name).await;
    }
    if is_complete { roots } else { roots.joined(before) }
}

/// Adds what an image is made of. Returns whether all of that is known.
async fn add_image(roots: &mut Roots, source: &SourceArguments, name: &str) -> bool {
    let own = source.images.join(name);
    roots.files.insert(own.join("image.yaml"));
    roots.folders.extend(own.is_dir().then(|| own.clone()));
    let Ok(definition) = build::definition(source, name) else {
        // Where there are no definitions, it would do.
        roots.files.insert(source.folder().join("Cargo.toml"));
        return false;
    };
    let files = definition.files.iter();
    roots.files.extend(files.map(|file| tidy(&own.join(&file.source))));
    let folder = module_source::workspace_folder(source, &definition, name);
    match compile::workspace(&folder).await {
        Ok(workspace) => {
            add_workspace(roots, &workspace, &definition.package);
            true
        }
        Err(_) => {
            add_broken_workspace(roots, &folder);
            false
        }
    }
}

fn add_workspace(roots: &mut Roots, workspace: &Workspace, package: &str) {
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).unwrap_or_default();
    roots
        .files
        .extend(WORKSPACE_FILES.map(|file| workspace.root.join(file)));
    // A package without a binary, or with a wrong path: any of them may be about to be changed.
    let packages = workspace
        .package_sources(package, &lock)
        .unwrap_or_else(|_| workspace.packages.iter().collect());
    roots
        .folders
        .extend(packages.iter().map(|package| package.folder().to_owned()));
    roots.folders.extend(workspace.inner_folders().map(Path::to_owned));
}

/// Cargo does not say what is in it: all of its folder, and the files above, which Cargo reads too.
fn add_broken_workspace(roots: &mut Roots, folder: &Path) {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let above = folder.ancestors().skip(1);
    let above = above.flat_map(|folder| WORKSPACE_FILES.map(|file| folder.join(file)));
    roots.files.extend(above.filter(|file| file.is_file()));
    roots.files.extend(WORKSPACE_FILES.map(|file| folder.join(file)));
    // Any other folder is none of a project's, and may be without end.
    if folder.join("Cargo.toml").is_file() {
        roots.folders.insert(folder);
    }
}

/// The path of a file without `..`, as it is to be printed; one in a folder that is not there stays as it is.
fn tidy(path: &Path) -> PathBuf {
    let leads_up = path.components().any(|part| part == Component::ParentDir);
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) if leads_up => folder.join(name),
        _ => path.to_owned(),
    }
}

/// The manifests alone, for when nothing else is known.
pub fn manifests(cluster_arguments: &ClusterArguments) -> Roots {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = cluster_arguments
        .named_manifests()
        .iter()
        .cloned()
        .partition(|path: &PathBuf| path.is_dir());
    let files = files.into_iter().filter(|path| path != Path::new("-"));
    Roots {
        folders: folders.into_iter().collect(),
        files: files.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{self, Command, DevArguments};
    use crate::watching::Snapshot;
    use std::fs;

    const MANIFEST: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: shop, namespace: shop}\n\
        spec: {containers: [{name: shop, image: \"deploy-tool://shop\"}]}\n";
    const PACKAGE: &str = "[package]\nname = \"shop\"\nedition = \"2024\"\n";

    /// A project's folder, with its manifest alone.
    struct Project {
        home: tempfile::TempDir,
        arguments: DevArguments,
        roots: Roots,
    }

    impl Project {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let at = |name: &str| home.path().join(name).display().to_string();
            let words = ["deploy-tool", "dev", "-f", &at("manifests"), "--images", &at("oci")];
            let words = words
                .iter()
                .copied()
                .chain(["--workspace", home.path().to_str().unwrap()]);
            let Command::Dev(arguments) = cli::parse(words.map(Into::into)).unwrap().command else {
                panic!("another command")
            };
            let project = Self {
                arguments,
                roots: Roots::default(),
                home,
            };
            project.write("manifests/shop.yaml", MANIFEST);
            project
        }

        fn path(&self, name: &str) -> PathBuf {
            self.home.path().canonicalize().unwrap().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        /// Looks at the project, then saves a file. Returns whether that is noticed.
        async fn notices(&mut self, name: &str, text: &str) -> bool {
            let DevArguments {
                cluster_arguments,
                source,
                ..
            } = &self.arguments;
            self.roots = roots(cluster_arguments, source, &self.roots).await;
            let before = Snapshot::read(&self.roots);
            self.write(name, text);
            !before.changed_files(&Snapshot::read(&self.roots)).is_empty()
        }
    }

    #[tokio::test]
    async fn what_is_wrong_when_it_begins_is_noticed_when_it_is_put_right() {
        let mut project = Project::new();
        project.write("Cargo.toml", "[package");
        project.write("oci/shop/image.yaml", "packag: shop");
        assert!(project.notices("oci/shop/image.yaml", "package: shop").await);
        assert!(project.notices("Cargo.toml", PACKAGE).await);
        // Cargo refuses a package without sources, and one without a binary is none for an image.
        assert!(project.notices("src/lib.rs", "").await);
        assert!(project.notices("src/main.rs", "fn main() {}").await);
        assert!(project.notices(".cargo/config.toml", "[build").await);
        assert!(project.notices(".cargo/config.toml", "").await);
        // A manifest that is wrong later on hides nothing.
        assert!(project.notices("manifests/shop.yaml", "kind: [").await);
        assert!(project.notices("src/main.rs", "fn main() { }").await);
    }

    #[tokio::test]
    async fn where_there_is_nothing_yet_what_is_made_is_noticed() {
        let mut project = Project::new();
        assert!(project.notices("Cargo.toml", PACKAGE).await);
        assert!(project.notices("oci/shop/image.yaml", "").await);
        let mut project = Project::new();
        assert!(project.notices("oci/shop/image.yaml", "").await);
    }

    #[tokio::test]
    async fn all_that_an_image_is_made_of_is_watched() {
        let mut project = Project::new();
        project.write("Cargo.toml", "[workspace]\nmembers = [\"app\"]\nresolver = \"3\"\n");
        project.write("app/Cargo.toml", PACKAGE);
        project.write("app/src/main.rs", "fn main() {}");
        let definition = "files:\n- {path: /index.html, source: ../../web/index.html}\n- {path: /a, source: a}";
        project.write("oci/shop/image.yaml", definition);
        project.write("web/index.html", "1");
        assert!(project.notices("web/index.html", "2").await);
        assert!(project.notices("oci/shop/a", "1").await);
        assert!(project.notices(".cargo/config.toml", "[build]").await);
        assert!(project.notices("app/src/main.rs", "fn main() { }").await);
        assert!(!project.notices("web/other.html", "1").await);
        assert!(project.roots.files.contains(&project.path("web/index.html")));
    }
}
