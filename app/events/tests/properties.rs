//! No request causes a panic, and accepted events do not change. Bodies are fuzzed, see `tests/fuzz/`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use events::event::read_event;
use events::http::{read_action, BufferedRequest};
use hyper::{HeaderMap, Method, Uri};
use microservice::http::{Query, Target};
use proptest::prelude::*;

/// Text that is nearly an event.
fn nearly_event() -> impl Strategy<Value = String> {
    let name = "specversion|id|source|type|subject|time|data|data_base64|datacontenttype|dataschema|[a-zA-Z-]{0,3}";
    let value = "\"1\\.0\"|\"/orders\"|\"[-0-9TZ:.+]{0,30}\"|\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,9})?(Z|[+-][0-9]{2}:[0-9]{2})\"\
        |\"\\PC{0,9}\"|-?[0-9]{1,30}|null|true|\\[\\]|\\{\\}|\"\\\\ud[0-9]{3}\"|\"[A-Z=]{0,8}\"";
    let pair = proptest::string::string_regex(&format!("\"({name})\":({value})")).unwrap();
    proptest::collection::vec(pair, 0..12).prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
}

fn act_on(method: &str, target: &str, body: Vec<u8>) {
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), target.parse::<Uri>()) else {
        return;
    };
    if let Ok(target) = Target::match_request(&method, uri.path()) {
        let parts: BufferedRequest<'_> = BufferedRequest {
            target,
            method: &method,
            query: Query::new(uri.query()),
            headers: &HeaderMap::new(),
            body: body.into(),
        };
        // It must only not panic.
        let _ = read_action(&parts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_event_of_plain_strings_is_taken(
        id in "[^\\p{Cc}]{1,255}",
        kind in "[^\\p{Cc}]{1,255}",
        data in "\\PC{0,99}",
    ) {
        let event = serde_json::json!({"specversion": "1.0", "id": id, "source": "/a", "type": kind, "data": data});
        let taken = read_event(event.to_string().as_bytes()).unwrap();
        prop_assert_eq!((taken.id, taken.kind), (id, kind));
    }

    #[test]
    fn any_request_is_understood(
        method in "GET|HEAD|POST|PUT|DELETE|OPTIONS|[A-Z]{1,9}",
        path in "/(events|healthz|readyz|metrics)?(/[-0-9a-z%]{0,12}){0,2}|\\PC{0,30}",
        query in "(\\?((limit|before)=?[-+%0-9a-f]{0,22}&?){0,4})?|\\?\\PC{0,30}",
        body in nearly_event(),
    ) {
        act_on(&method, &format!("{path}{query}"), body.into_bytes());
    }
}
