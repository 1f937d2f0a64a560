use super::*;
use diagnostics::code::registry::CREDENTIALS_UNREADABLE;

fn said(status: u16, body: &str) -> String {
    let refusal = Refusal::new(StatusCode::from_u16(status).unwrap(), body.as_bytes(), None);
    let repository = Repository::parse("x.io/shop").unwrap().0;
    let failure =
        RegistryError::Refused(refusal).explain(&Purpose::Push { from: None }, &repository, &FoundLogin::default());
    format!("{} {failure}", failure.number().unwrap())
}

#[test]
fn every_refusal_has_its_number() {
    let error = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"m","detail":"d"}}]}}"#);
    for (status, body, expected) in [
        (429, error("TOOMANYREQUESTS"), "DT0711"),
        (413, "<html>too large</html>".to_owned(), "DT0713"),
        (507, String::new(), "DT0713"),
        (400, error("SIZE_INVALID"), "DT0713"),
        (400, error("DIGEST_INVALID"), "DT0712"),
        (404, error("NAME_UNKNOWN"), "DT0705"),
        (404, "<html>".to_owned(), "DT0708"),
        (200, "<html>".to_owned(), "DT0708"),
        (503, String::new(), "DT0714"),
        (400, error("MANIFEST_INVALID"), "DT0715"),
        (400, error("TAG_INVALID"), "DT0715"),
    ] {
        let text = said(status, &body);
        assert!(text.starts_with(expected), "{status} {body}: {text}");
    }
    assert!(said(400, &error("MANIFEST_INVALID")).contains("400 Bad Request: MANIFEST_INVALID: m (d)"));
}

#[test]
fn who_may_not_read_is_not_told_to_push() {
    let refusal = Refusal::new(StatusCode::FORBIDDEN, b"", None);
    let repository = Repository::parse("x.io/shop").unwrap().0;
    let failure = RegistryError::Forbidden(refusal).explain(&Purpose::Read, &repository, &FoundLogin::default());
    assert_eq!(failure.number(), Some(&READ_REFUSED));
    assert!(!failure.to_string().contains("push"), "{failure}");
}

#[test]
fn who_has_no_login_is_told_where_it_was_looked_for() {
    let repository = Repository::parse("x.io/shop").unwrap().0;
    let explained = |found: &FoundLogin| RegistryError::LoginNeeded.explain(&Purpose::Read, &repository, found);
    let mut found = FoundLogin {
        searched: vec!["REGISTRY_USERNAME".to_owned(), "/h/auth.json".to_owned()],
        ..FoundLogin::default()
    };
    let failure = explained(&found);
    assert_eq!(failure.number(), Some(&LOGIN_NEEDED));
    let text = failure.to_string();
    assert!(text.contains("REGISTRY_USERNAME, /h/auth.json"), "{text}");
    // What could not be read may have been it.
    found.unusable = vec![Error::prerequisite("helper").code(&CREDENTIALS_UNREADABLE)];
    let failure = explained(&found);
    assert_eq!(failure.number(), Some(&CREDENTIALS_UNREADABLE));
    assert!(failure.to_string().contains("`x.io` asks for a login"), "{failure}");
}

#[test]
fn who_was_refused_is_said_and_the_password_is_not() {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, b"", None);
    let repository = Repository::parse("x.io/shop").unwrap().0;
    let found = FoundLogin::from_login(Login::password("ann", "hunter2"));
    let text = RegistryError::LoginRefused(refusal)
        .explain(&Purpose::Push { from: None }, &repository, &found)
        .to_string();
    assert!(text.contains("user `ann`") && !text.contains("hunter2"), "{text}");
}
