//! Reads the log of the installer: one line of JSON for each step.

use node_protocol::{END, Line, State};

use diagnostics::Error;
use diagnostics::code;
use diagnostics::code::node::INSTALLER;

/// How a run of the installer ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallerReport {
    /// Whether the node is another one than before; of a check, whether an installation would change it.
    pub changed: bool,
    /// In a sentence.
    pub sentence: String,
    /// The version that is installed.
    pub version: Option<String>,
    /// A sentence for each step before the last.
    pub steps: Vec<String>,
}

/// Reads the log of a run. None where the installer has not come to its end.
///
/// # Errors
/// What the installer could not do on the node.
pub fn parse_log(node: &str, log: &str) -> Option<Result<InstallerReport, Error>> {
    let lines: Vec<Line> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let (last, before) = lines.split_last().filter(|(last, _)| last.step == END)?;
    if last.state == State::Failed {
        let number = last.code.and_then(|number| code::find(&number.to_string()));
        let failure = Error::cluster(format!("node `{node}`: {}", last.sentence)).code(number.unwrap_or(&INSTALLER));
        let failure = last.because.iter().fold(failure, Error::cause);
        return Some(Err(last.next.iter().cloned().fold(failure, Error::hint)));
    }
    Some(Ok(InstallerReport {
        changed: last.state == State::Changed,
        sentence: last.sentence.clone(),
        version: last.version.clone(),
        steps: before
            .iter()
            .map(|line| format!("{}: {}", line.step, line.sentence))
            .collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_it_ended() {
        let log = "{\"step\":\"files\",\"state\":\"changed\",\"sentence\":\"24 files\"}\n\
            {\"step\":\"end\",\"state\":\"changed\",\"sentence\":\"it is installed\",\"version\":\"1\"}\n";
        let done = parse_log("one", log).unwrap().unwrap();
        assert_eq!((done.changed, done.version.as_deref()), (true, Some("1")));
        assert_eq!(done.steps, ["files: 24 files"]);
        let failed = "{\"step\":\"end\",\"state\":\"failed\",\"sentence\":\"it cannot\",\"code\":901,\"because\":[\"/opt is \
            read-only\"],\"next\":[\"do this\"]}";
        let failure = parse_log("one", failed).unwrap().unwrap_err();
        assert_eq!(failure.number(), Some(&code::node::UNFIT));
        let text = failure.to_string();
        assert!(
            text.contains("node `one`: it cannot") && text.contains("/opt is read-only") && text.contains("do this")
        );
    }

    #[test]
    fn a_run_without_an_end_says_nothing() {
        for log in [
            "",
            "panicked",
            "{\"step\":\"files\",\"state\":\"changed\",\"sentence\":\"24 files\"}\nKilled",
        ] {
            assert!(parse_log("one", log).is_none(), "{log}");
        }
    }

    #[test]
    fn every_number_of_the_installer_is_in_the_catalogue() {
        for number in node_protocol::number::ALL {
            assert!(code::find(&number.to_string()).is_some(), "DT0{number}");
        }
    }
}
