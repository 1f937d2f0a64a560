//! Who is measured.

use serde::{Deserialize, Serialize};

/// What a container runs: always the same source, compiled with the same profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// A native program without libraries: what all others are compared with.
    Native,
    /// A shared object around the module: what `up` deploys where every node can run it.
    Elf,
    /// The module with native code in a section: what runs anywhere.
    Aot,
    /// The module alone.
    Interpreter,
}

impl Form {
    /// For tables and names of objects.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Elf => "elf",
            Self::Aot => "aot",
            Self::Interpreter => "interpreter",
        }
    }

    /// The program's path in its image. crun runs what ends in .wasm as a module.
    pub fn program(self) -> &'static str {
        match self {
            Self::Native => "/app",
            Self::Elf | Self::Aot | Self::Interpreter => "/app.wasm",
        }
    }

    /// What its pods say on `/healthz` of how they run.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Elf => Self::Aot.name(),
            other => other.name(),
        }
    }
}

/// A form under a runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variant {
    /// Its name, also that of its objects and its database.
    pub name: String,
    /// What it runs.
    pub form: Form,
    /// The RuntimeClass of its pods.
    pub runtime_class: String,
    /// Whether that is the first one: the others are there to be compared with.
    pub first: bool,
}

/// Every form under the first RuntimeClass, and compiled ahead of time under each of the others.
pub fn variants(runtime_classes: &[String]) -> Vec<Variant> {
    let mut all = Vec::new();
    for (place, class) in runtime_classes.iter().enumerate() {
        let first = place == 0;
        let forms: &[Form] = if first {
            &[Form::Native, Form::Elf, Form::Aot, Form::Interpreter]
        } else {
            &[Form::Aot]
        };
        all.extend(forms.iter().map(|form| Variant {
            name: if first {
                form.name().to_owned()
            } else {
                format!("{}-{class}", form.name())
            },
            form: *form,
            runtime_class: class.clone(),
            first,
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_runtimes_run_what_is_compiled_ahead_of_time() {
        let names = |classes: &[&str]| -> Vec<String> {
            let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
            variants(&classes).into_iter().map(|variant| variant.name).collect()
        };
        assert_eq!(names(&["tuned"]), ["native", "elf", "aot", "interpreter"]);
        assert_eq!(
            names(&["tuned", "stock"]),
            ["native", "elf", "aot", "interpreter", "aot-stock"]
        );
    }
}
