use super::attributes::check_base64;
use super::timestamp::check_timestamp;
use super::*;

#[test]
fn times_are_those_of_rfc_3339() {
    for time in [
        "2026-11-22T16:50:00Z",
        "2026-11-22t16:50:00.123456z",
        "2024-02-29T23:59:60.0+23:59",
        "2000-02-29T00:00:00-00:00",
        "0000-01-01T00:00:00Z",
    ] {
        assert_eq!(check_timestamp(time.to_owned()), Ok(()), "{time}");
    }
    for time in [
        "",
        "2026-11-22",
        "2026-11-22T16:50:00",
        "2026-11-22 16:50:00Z",
        "2026-11-22T16:50Z",
        "2026-11-22T16:50:00.Z",
        "2026-11-22T16:50:00ZZ",
        "2026-11-22T16:50:00+1:00",
        "2026-11-22T16:50:00+24:00",
        "2026-11-22T16:50:00+00:60",
        "2026-13-22T16:50:00Z",
        "2026-00-22T16:50:00Z",
        "2026-04-31T16:50:00Z",
        "2026-11-00T16:50:00Z",
        "2025-02-29T16:50:00Z",
        "1900-02-29T16:50:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T16:60:00Z",
        "2026-11-22T16:50:61Z",
        "٢٠26-11-22T16:50:00Z",
    ] {
        assert!(check_timestamp(time.to_owned()).is_err(), "{time}");
    }
}

#[test]
fn base64_has_its_alphabet_and_length() {
    for text in ["", "AA==", "AAA=", "+/09azAZ"] {
        assert_eq!(check_base64(text.to_owned()), Ok(()), "{text}");
    }
    for text in ["A", "AA=", "A===", "====", "AA=A", "AA-_", "ää=="] {
        assert!(check_base64(text.to_owned()).is_err(), "{text}");
    }
}

/// Reading is not recursive, so that no depth ends the process.
#[test]
fn data_may_be_as_deep_as_it_is_large() {
    let depth = 30_000;
    let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let json = format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"b","data":{data}}}"#);
    assert_eq!(read_event(json.as_bytes()).unwrap().json, json);
}
