//! What the Job says on the command line.

use crate::look::Kind;
use crate::report::{INSTALLER, Trouble};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Say whether the engine can be installed; changes nothing.
    Check,
    /// Install it.
    Install,
    /// Bring back what the last install has replaced.
    Undo,
    /// Take it away.
    Remove,
    /// Say what is installed; changes nothing.
    Status,
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub verb: Verb,
    /// The runtime that the kubelet has told the API server of.
    pub runtime: Kind,
    /// The name by which RuntimeClasses know the engine.
    pub handler: String,
}

/// Reads a command line.
///
/// # Errors
/// When it is none.
pub fn parse(arguments: &[String]) -> Result<Arguments, Trouble> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let wrong = || {
        Trouble::new(INSTALLER, format!("unknown arguments: {}", arguments.join(" ")))
            .because("node-installer check|install|undo|remove|status --runtime containerd|cri-o --handler NAME")
    };
    let [verb, "--runtime", runtime, "--handler", handler] = arguments[..] else {
        return Err(wrong());
    };
    let verb = match verb {
        "check" => Verb::Check,
        "install" => Verb::Install,
        "undo" => Verb::Undo,
        "remove" => Verb::Remove,
        "status" => Verb::Status,
        _ => return Err(wrong()),
    };
    let runtime = match runtime {
        "containerd" => Kind::Containerd,
        "cri-o" => Kind::Crio,
        _ => return Err(wrong()),
    };
    Ok(Arguments {
        verb,
        runtime,
        handler: handler.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_what_the_job_says_and_nothing_else() {
        let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        let arguments = parse(&words("install --runtime cri-o --handler crun-wasm")).unwrap();
        assert_eq!(
            (arguments.verb, arguments.runtime, arguments.handler.as_str()),
            (Verb::Install, Kind::Crio, "crun-wasm")
        );
        for wrong in [
            "",
            "install",
            "install --runtime docker --handler crun",
            "x --runtime containerd --handler crun",
        ] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
