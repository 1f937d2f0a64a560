//! Pure: how Cargo compiles a module: by a profile of the workspace, or by a quicker one made from it.

/// A Cargo profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What Cargo is told of it beside Cargo.toml: `--config` of each.
    pub settings: Vec<String>,
}

impl Profile {
    /// A profile of the workspace, as it is.
    pub fn of_workspace(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            settings: Vec::new(),
        }
    }

    /// The same for a module that is to run in seconds. Only what has changed is compiled again, and nothing is optimised
    /// across crates: that takes most of the time, for code that is interpreted anyway. It has a folder of objects of its
    /// own, and what is in a module hangs on what was compiled before it: no release is made by it.
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
