//! One line of a log.

use jiff::Timestamp;
use serde::Serialize;

/// What `logs --output json` prints, one object a line. Fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line<'a> {
    /// The pod.
    pub pod: &'a str,
    /// The container in it.
    pub container: &'a str,
    /// When the container wrote it, as its node knows it.
    pub time: Option<Timestamp>,
    /// The text of the line.
    pub line: &'a str,
}

/// Takes a line apart that the kubelet has put a time in front of: RFC 3339, a space, the text. Its own messages have none.
pub fn split(raw: &str) -> (Option<Timestamp>, &str) {
    let text = raw.trim_end_matches(['\n', '\r']);
    match text.split_once(' ') {
        Some((time, line)) => match time.parse() {
            Ok(time) => (Some(time), line),
            Err(_) => (None, text),
        },
        // An empty line may come without its space.
        None => match text.parse() {
            Ok(time) => (Some(time), ""),
            Err(_) => (None, text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_in_front_is_no_part_of_the_line() {
        let time: Timestamp = "2026-01-02T03:04:05.123456789Z".parse().unwrap();
        let cases = [
            ("2026-01-02T03:04:05.123456789Z one two\n", (Some(time), "one two")),
            (
                "2026-01-02T03:04:05.123456789Z   indented  \r\n",
                (Some(time), "  indented  "),
            ),
            ("2026-01-02T03:04:05.123456789Z \n", (Some(time), "")),
            ("2026-01-02T03:04:05.123456789Z", (Some(time), "")),
            (
                "unable to retrieve container logs\n",
                (None, "unable to retrieve container logs"),
            ),
            ("", (None, "")),
        ];
        for (raw, expected) in cases {
            assert_eq!(split(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn as_json() {
        let (time, line) = split("2026-01-02T03:04:05Z say \"hi\"");
        let line = Line {
            pod: "p",
            container: "c",
            time,
            line,
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"pod":"p","container":"c","time":"2026-01-02T03:04:05Z","line":"say \"hi\""}"#
        );
    }
}
