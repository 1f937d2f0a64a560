//! The installer's command line: `VERB --runtime containerd|cri-o --handler NAME`.

use std::fmt;
use std::str::FromStr;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Check whether the engine can be installed; changes nothing.
    Check,
    /// Install it.
    Install,
    /// Restore what the last install has replaced.
    Undo,
    /// Remove it.
    Remove,
    /// Report what is installed; changes nothing.
    Status,
}

/// The container runtime in the status of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// containerd, also that of k3s and RKE2.
    Containerd,
    /// CRI-O.
    Crio,
}

impl Verb {
    /// Whether it changes nothing: the node's file system may be read-only to it.
    pub fn is_read_only(self) -> bool {
        matches!(self, Self::Check | Self::Status)
    }
}

const VERBS: [(Verb, &str); 5] = [
    (Verb::Check, "check"),
    (Verb::Install, "install"),
    (Verb::Undo, "undo"),
    (Verb::Remove, "remove"),
    (Verb::Status, "status"),
];
const RUNTIMES: [(Runtime, &str); 2] = [(Runtime::Containerd, "containerd"), (Runtime::Crio, "cri-o")];

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(&VERBS, *self, f)
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(&RUNTIMES, *self, f)
    }
}

fn write_word<T: PartialEq + Copy>(words: &[(T, &str)], value: T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let found = words.iter().find(|(known, _)| *known == value);
    f.write_str(found.map_or("", |(_, word)| word))
}

fn read_word<T: Copy>(words: &[(T, &str)], text: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub verb: Verb,
    /// With which runtime.
    pub runtime: Runtime,
    /// The name by which RuntimeClasses know the engine.
    pub handler: String,
}

/// A command line that is none of the installer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownArguments;

impl Arguments {
    /// How they are written.
    pub const USAGE: &str = "node-installer check|install|undo|remove|status --runtime containerd|cri-o --handler NAME";

    /// The words of the command line.
    pub fn words(&self) -> [String; 5] {
        [
            self.verb.to_string(),
            "--runtime".to_owned(),
            self.runtime.to_string(),
            "--handler".to_owned(),
            self.handler.clone(),
        ]
    }

    /// Reads the words of a command line.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(words: &[String]) -> Result<Self, UnknownArguments> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let [verb, "--runtime", runtime, "--handler", handler] = words[..] else {
            return Err(UnknownArguments);
        };
        Ok(Self {
            verb: read_word(&VERBS, verb).ok_or(UnknownArguments)?,
            runtime: runtime.parse()?,
            handler: handler.to_owned(),
        })
    }
}

impl FromStr for Runtime {
    type Err = UnknownArguments;

    fn from_str(text: &str) -> Result<Self, UnknownArguments> {
        read_word(&RUNTIMES, text).ok_or(UnknownArguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for (verb, _) in VERBS {
            for (runtime, _) in RUNTIMES {
                let arguments = Arguments {
                    verb,
                    runtime,
                    handler: "crun-wasm".to_owned(),
                };
                assert_eq!(Arguments::parse(&arguments.words()), Ok(arguments));
            }
        }
        let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        let arguments = Arguments::parse(&words("install --runtime cri-o --handler crun-wasm")).unwrap();
        assert_eq!((arguments.verb, arguments.runtime), (Verb::Install, Runtime::Crio));
        for wrong in [
            "",
            "install",
            "install --runtime docker --handler crun",
            "x --runtime containerd --handler crun",
        ] {
            assert_eq!(Arguments::parse(&words(wrong)), Err(UnknownArguments), "{wrong}");
        }
    }
}
