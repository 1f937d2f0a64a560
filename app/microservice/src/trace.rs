//! The W3C trace context of a request, to be propagated: <https://www.w3.org/TR/trace-context/>.

use hyper::header::{HeaderName, HeaderValue};
use hyper::HeaderMap;

/// The names of the headers, and of the attributes of events:
/// <https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md>.
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The bytes of a `traceparent` of version 00.
const TRACEPARENT_BYTES: usize = 55;
/// The most bytes of a `tracestate`, which is what must be propagated at least. Longer ones are dropped, because a
/// sidecar would reject requests with a large head. <https://www.w3.org/TR/trace-context/#tracestate-limits>
const MAX_TRACESTATE_BYTES: usize = 512;
/// <https://www.w3.org/TR/trace-context/#tracestate-header-field-values>
const MAX_TRACESTATE_MEMBERS: usize = 32;

/// A valid trace context, or none.
///
/// It is one text: the `traceparent`, and after a space the `tracestate`, if there is one. Both are ASCII without
/// control characters. The first contains no space; the second may contain quotes and backslashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(String);

impl Trace {
    /// The most bytes of the text.
    pub const MAX_BYTES: usize = TRACEPARENT_BYTES + 1 + MAX_TRACESTATE_BYTES;

    /// The trace context in these headers. Invalid values count as missing.
    pub fn from_headers(headers: &HeaderMap) -> Trace {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        // With more than one, none is valid.
        let (Some(parent), None) = (parents.next(), parents.next()) else {
            return Trace::default();
        };
        // Several headers are one list.
        let states: Result<Vec<&str>, _> = headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str).collect();
        Trace::new(
            parent.to_str().unwrap_or_default(),
            &states.map(|states| states.join(",")).unwrap_or_default(),
        )
    }

    /// The trace context with this text. An invalid text counts as none.
    pub fn from_text(text: &str) -> Trace {
        let (parent, state) = text.split_once(' ').unwrap_or((text, ""));
        Trace::new(parent, state)
    }

    fn new(parent: &str, state: &str) -> Trace {
        let Some(mut text) = parse_traceparent(parent) else {
            return Trace::default();
        };
        if let Some(state) = parse_tracestate(state) {
            text.push(' ');
            text.push_str(&state);
        }
        Trace(text)
    }

    /// The text; empty without a trace context.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The names and values, as attributes of an event.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let mut values = self.0.splitn(2, ' ').filter(|value| !value.is_empty());
        [TRACEPARENT, TRACESTATE]
            .into_iter()
            .map_while(move |name| Some((name, values.next()?)))
    }

    /// The names and values, as headers of a request.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
        self.attributes()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)))
    }
}

/// The `traceparent` as version 00 has it. A higher version may have more fields behind those of version 00, which must
/// not be passed on by who does not know them: <https://www.w3.org/TR/trace-context/#versioning-of-traceparent>.
fn parse_traceparent(text: &str) -> Option<String> {
    let (known, rest) = text.split_at_checked(TRACEPARENT_BYTES)?;
    let mut fields = known.split('-');
    let mut next = |length: usize| {
        let field = fields.next()?;
        let is_hexadecimal = field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (field.len() == length && is_hexadecimal).then_some(field)
    };
    let (version, trace_id, parent_id, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    let is_rest_valid = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    if version == "ff" || !is_rest_valid || is_zero(trace_id) || is_zero(parent_id) {
        return None;
    }
    Some(format!("00-{trace_id}-{parent_id}-{flags}"))
}

/// The members of the list, joined without spaces, if all are valid and there are any:
/// <https://www.w3.org/TR/trace-context/#tracestate-header-field-values>.
fn parse_tracestate(text: &str) -> Option<String> {
    let is_key_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
    let is_value_byte = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    let is_member = |member: &&str| match member.split_once('=') {
        Some((key, value)) => {
            !key.is_empty() && !value.is_empty() && key.bytes().all(is_key_byte) && value.bytes().all(is_value_byte)
        }
        None => false,
    };
    if text.len() > MAX_TRACESTATE_BYTES {
        return None;
    }
    let members = text.split(',').map(|member| member.trim_matches([' ', '\t']));
    // They may be empty.
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    let is_valid = (1..=MAX_TRACESTATE_MEMBERS).contains(&members.len()) && members.iter().all(is_member);
    is_valid.then(|| members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn from_headers(headers: &[(&'static str, &[u8])]) -> Trace {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        Trace::from_headers(&headers.collect())
    }

    fn attributes(trace: &Trace) -> Vec<(&'static str, &str)> {
        trace.attributes().collect()
    }

    #[test]
    fn a_valid_context_is_propagated() {
        let trace = from_headers(&[("traceparent", PARENT.as_bytes()), ("tracestate", b"congo=t61")]);
        assert_eq!(
            attributes(&trace),
            [("traceparent", PARENT), ("tracestate", "congo=t61")]
        );
        assert_eq!(trace.headers().count(), 2);
        assert_eq!(Trace::from_text(trace.as_text()), trace);
        let quotes = "rojo=00f067aa0ba902b7,\t, t61@a-b= x \"\\' y; ";
        let quoted = from_headers(&[("traceparent", PARENT.as_bytes()), ("tracestate", quotes.as_bytes())]);
        assert_eq!(Trace::from_text(quoted.as_text()), quoted);
        assert_eq!(attributes(&quoted)[1].1, "rojo=00f067aa0ba902b7,t61@a-b= x \"\\' y;");
        let joined = from_headers(&[
            ("traceparent", PARENT.as_bytes()),
            ("tracestate", b"a=1"),
            ("tracestate", b"b=2"),
        ]);
        assert_eq!(attributes(&joined)[1].1, "a=1,b=2");
        let longest = format!("a={}", "b".repeat(MAX_TRACESTATE_BYTES - 2));
        let longest = from_headers(&[("traceparent", PARENT.as_bytes()), ("tracestate", longest.as_bytes())]);
        assert_eq!(longest.as_text().len(), Trace::MAX_BYTES);
    }

    #[test]
    fn an_invalid_traceparent_is_dropped_with_its_state() {
        let long = format!("{PARENT}{}", "0".repeat(10_000));
        for parent in [
            "",
            "x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0'",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e473ä-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0ä",
            long.as_str(),
        ] {
            let trace = from_headers(&[("traceparent", parent.as_bytes()), ("tracestate", b"a=1")]);
            assert_eq!(trace, Trace::default(), "{parent}");
            assert_eq!(Trace::from_text(parent), Trace::default(), "{parent}");
            assert_eq!((trace.attributes().count(), trace.headers().count()), (0, 0));
        }
        let twice = [("traceparent", PARENT.as_bytes()), ("traceparent", PARENT.as_bytes())];
        assert_eq!(from_headers(&twice), Trace::default());
        assert_eq!(from_headers(&[("tracestate", b"a=1")]), Trace::default());
        assert_eq!(from_headers(&[]), Trace::default());
    }

    #[test]
    fn a_higher_version_is_reduced_to_what_is_known() {
        let known = Trace::from_text(PARENT);
        for rest in ["", "-", "-what the future brings"] {
            let parent = format!("cc{}{rest}", &PARENT[2..]);
            assert_eq!(from_headers(&[("traceparent", parent.as_bytes())]), known, "{parent}");
        }
    }

    #[test]
    fn an_invalid_state_is_dropped_alone() {
        let long = format!("a={}", "b".repeat(MAX_TRACESTATE_BYTES - 1));
        let many = vec!["a=1"; MAX_TRACESTATE_MEMBERS + 1].join(",");
        for state in [
            "",
            " , ",
            "a",
            "=1",
            "a=",
            "A=1",
            "a=1=2",
            "a=1,b",
            "a=1,b=\t2",
            "a=\u{e4}",
            "'=1",
            long.as_str(),
            many.as_str(),
        ] {
            let trace = from_headers(&[("traceparent", PARENT.as_bytes()), ("tracestate", state.as_bytes())]);
            assert_eq!(attributes(&trace), [("traceparent", PARENT)], "{state}");
        }
    }
}
