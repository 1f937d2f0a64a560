//! Pure: how Cargo compiles a module: by a profile of the workspace, or by a quicker one made from it.

/// A Cargo profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Cargo settings besides Cargo.toml, each for a `--config`.
    pub settings: Vec<String>,
}

impl Profile {
    /// The folder in Cargo's target folder that it compiles into. Those of Cargo's own profiles have other names.
    /// <https://doc.rust-lang.org/cargo/reference/build-cache.html>
    pub fn folder(&self) -> &str {
        match self.name.as_str() {
            "dev" | "test" => "debug",
            "bench" => "release",
            name => name,
        }
    }

    /// A profile of the workspace, as it is.
    pub fn from_workspace(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            settings: Vec::new(),
        }
    }

    /// The profile for quick builds: incremental and without LTO, which takes most of the time, for code that is interpreted. It
    /// has a target folder of its own. Incremental builds are not reproducible, so it is not used for releases.
    /// <https://doc.rust-lang.org/cargo/reference/profiles.html>
    pub fn quick(name: &str) -> Self {
        let quick = format!("{name}-quick");
        let settings = [
            format!("profile.{quick}.inherits={name:?}"),
            format!("profile.{quick}.incremental=true"),
            format!("profile.{quick}.lto=\"off\""),
            format!("profile.{quick}.codegen-units=256"),
        ];
        Self {
            name: quick,
            settings: settings.into(),
        }
    }
}
