//! Keys for signatures.

use std::path::PathBuf;
use std::process::Command;

use crate::CommandOutput;

/// A pair of keys, as the help says to make them.
pub struct Keys(tempfile::TempDir);

impl Keys {
    /// A new pair.
    #[expect(clippy::new_without_default, reason = "each is another pair")]
    pub fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let (private, public) = (keys.private(), keys.public());
        let (private, public) = (private.to_str().unwrap(), public.to_str().unwrap());
        openssl(&[["genpkey"].as_slice(), &curve, &["-out", private]].concat());
        openssl(&["pkey", "-in", private, "-pubout", "-out", public]);
        keys
    }

    /// The file of the private one.
    pub fn private(&self) -> PathBuf {
        self.file("private.pem")
    }

    /// The file of the public one.
    pub fn public(&self) -> PathBuf {
        self.file("public.pem")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn openssl(arguments: &[&str]) {
    CommandOutput::from(Command::new("openssl").args(arguments).output().unwrap()).success();
}
