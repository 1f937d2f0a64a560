//! What a program has printed.

use std::process::Output;

/// What a program said.
pub struct CommandOutput {
    /// Its exit code.
    pub code: i32,
    /// Its data.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
}

impl CommandOutput {
    /// From a program's output.
    pub fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by a signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Itself, when the program succeeded.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(
            self.code, 0,
            "exit code {}\n{}\n{}",
            self.code, self.stdout, self.stderr
        );
        self
    }

    /// Itself, when it failed with that exit code and said all of these.
    #[track_caller]
    pub fn failure(self, code: i32, sentences: &[&str]) -> Self {
        assert_eq!(
            self.code, code,
            "exit code {}\n{}\n{}",
            self.code, self.stdout, self.stderr
        );
        for sentence in sentences {
            assert!(
                self.stderr.contains(sentence),
                "it does not say `{sentence}`:\n{}",
                self.stderr
            );
        }
        self
    }
}
