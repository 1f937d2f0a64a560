//! Events as other services send them.

use events::event::{MAX_CHARACTERS, read_event};
use microservice::http::Code;

/// A body that brings an event: what is accepted is kept as it is, and has what it is found by.
pub fn event(body: &[u8]) {
    match read_event(body) {
        Ok(event) => {
            assert_eq!(event.json.as_bytes(), body.trim_ascii());
            assert_eq!(read_event(event.json.as_bytes()), Ok(event.clone()));
            for key in [event.id, event.source, event.kind] {
                assert!((1..=MAX_CHARACTERS).contains(&key.chars().count()));
            }
        }
        Err(problem) => {
            // The name of a wrong attribute may be empty itself.
            let names_fields =
                !problem.fields.is_empty() && problem.fields.iter().all(|field| !field.message.is_empty());
            assert!(problem.code == Code::INVALID_JSON || names_fields, "{problem:?}");
        }
    }
}
