use super::*;

fn repository(text: &str) -> Repository {
    Repository::parse(text).unwrap().0
}

/// Where the login is: `+NAME` with a helper, else the user.
fn credential_sources(text: &str, name: &str) -> Vec<String> {
    let configuration = DockerConfig::parse(text).unwrap();
    let text = |source: &CredentialSource<'_>| match source {
        CredentialSource::Helper(program) => format!("+{program}"),
        CredentialSource::Entry(key, entry) => match entry.login(key) {
            Ok(Login::Password { user, .. }) => user,
            other => format!("{other:?}"),
        },
    };
    configuration
        .credential_sources(&repository(name))
        .iter()
        .map(text)
        .collect()
}

#[test]
fn logins_stand_under_many_keys() {
    for (key, name, expected) in [
        ("docker.io", "you/orders", true),
        ("https://docker.io", "you/orders", true),
        ("docker.io/you", "you/orders", true),
        ("docker.io/you/", "you/orders", true),
        ("docker.io/you/orders", "you/orders", true),
        ("index.docker.io", "you/orders", true),
        ("index.docker.io/v1/", "you/orders", true),
        ("https://index.docker.io/v1/", "you/orders", true),
        ("index.docker.io/you", "you/orders", true),
        ("registry-1.docker.io", "you/orders", true),
        ("https://registry-1.docker.io/v2/", "you/orders", true),
        ("docker.io/library", "mariadb", true),
        ("docker.io/other", "you/orders", false),
        ("docker.io/yo", "you/orders", false),
        ("docker.io/you/orders/more", "you/orders", false),
        ("docker.io.evil.example", "you/orders", false),
        ("x.io", "x.io/a/b", true),
        ("http://x.io", "x.io/a/b", true),
        ("https://x.io/v2/", "x.io/a/b", true),
        ("https://x.io/whatever", "x.io/a/b", true),
        ("x.io/a", "x.io/a/b", true),
        ("x.io/a/v2", "x.io/a/b", false),
        ("x.io/a/v2", "x.io/a/v2/b", true),
        ("x.io", "x.io:5000/a", false),
        ("x.io:5000", "x.io/a", false),
        ("localhost:5000", "localhost:5000/orders", true),
        ("localhost:5000/orders", "localhost:5000/orders", true),
        ("[::1]:5000", "[::1]:5000/orders", true),
    ] {
        // user:secret
        let text = format!(r#"{{"auths": {{"{key}": {{"auth": "dXNlcjpzZWNyZXQ="}}}}}}"#);
        assert_eq!(
            credential_sources(&text, name),
            ["user"; 1][..usize::from(expected)],
            "{key} {name}"
        );
        let text = format!(r#"{{"credHelpers": {{"{key}": "own"}}}}"#);
        assert_eq!(
            credential_sources(&text, name),
            ["+own"; 1][..usize::from(expected)],
            "{key} {name}"
        );
    }
}

#[test]
fn the_longest_path_comes_first() {
    let entry = |user: &str| format!(r#"{{"username": "{user}", "password": "p"}}"#);
    let auths = |entries: &[(&str, &str)]| {
        let entries: Vec<String> = entries
            .iter()
            .map(|(key, user)| format!(r#""{key}": {}"#, entry(user)))
            .collect();
        entries.join(", ")
    };
    let hub = auths(&[
        ("https://index.docker.io/v1/", "address"),
        ("docker.io", "name"),
        ("docker.io/you", "path"),
        ("docker.io/you/orders", "whole"),
        ("docker.io/other", "other"),
    ]);
    let file = |rest: &str| format!(r#"{{"auths": {{{hub}, "docker.io/you/orders/": {{}}}}{rest}}}"#);
    assert_eq!(
        credential_sources(&file(""), "you/orders"),
        ["whole", "path", "name", "address"]
    );
    // A store has the registry's login, a helper that of its key.
    let store = file(r#", "credsStore": "all""#);
    assert_eq!(
        credential_sources(&store, "you/orders"),
        ["whole", "path", "+all", "name", "address"]
    );
    let helper =
        file(r#", "credsStore": "all", "credHelpers": {"docker.io/you": "own", "docker.io": "hub", "x.io": ""}"#);
    assert_eq!(
        credential_sources(&helper, "you/orders"),
        ["whole", "+own", "path", "+hub", "name", "address"]
    );
    assert_eq!(credential_sources(&helper, "x.io/a"), ["+all"]);
    assert_eq!(credential_sources(r#"{"auths": {"x.io": {}}}"#, "x.io/a"), [""; 0]);
}

#[test]
fn an_entry_is_a_password_or_a_token() {
    let login = |entry: &str| serde_json::from_str::<Entry>(entry).unwrap().login("x.io");
    let token = Login::IdentityToken(Secret::new("t"));
    assert_eq!(login(r#"{"identitytoken": "t", "auth": "MDA6"}"#), Ok(token));
    let user = |user: &str, password: &str| Ok(Login::password(user, password));
    assert_eq!(login(r#"{"username": "u", "password": "p"}"#), user("u", "p"));
    // With a colon in the password; as Docker reads it, the other fields do not count then.
    assert_eq!(login(r#"{"auth": "dTphOmI=", "username": "x"}"#), user("u", "a:b"));
    assert!(login(r#"{"auth": "!"}"#).unwrap_err().contains("x.io"));
}

#[test]
fn what_go_reads_is_read() {
    let auth = STANDARD.encode("user:pass");
    let wrapped = format!("{}\\r\\n{}\\n", &auth[..4], &auth[4..]);
    for text in [
        format!(
            "{{\"auths\": {{\"other\": null, \"x.io\": {{\"auth\": \"{auth}\", \"identitytoken\": null}}}}, \"credsStore\": null, \"credHelpers\": null}}"
        ),
        format!("{{\"auths\": {{\"x.io\": {{\"auth\": \"{wrapped}\"}}}}, \"credHelpers\": {{\"x.io\": null}}}}"),
    ] {
        assert_eq!(credential_sources(&text, "x.io/a"), ["user"], "{text}");
    }
    for text in ["", " \n", "{}", "{\"auths\": null}"] {
        assert!(credential_sources(text, "x.io/a").is_empty(), "{text:?}");
    }
}

#[test]
fn helpers_answer_with_a_password_or_a_token() {
    assert_eq!(
        parse_helper_output(r#"{"ServerURL":"x","Username":"u","Secret":"s"}"#),
        Some(Login::password("u", "s"))
    );
    assert_eq!(
        parse_helper_output(r#"{"Username":"<token>","Secret":"s"}"#),
        Some(Login::IdentityToken(Secret::new("s")))
    );
    assert_eq!(parse_helper_output("credentials not found in native keychain"), None);
}

#[test]
fn nothing_shows_a_password() {
    let text = r#"{"auths": {"x.io": {"username": "u", "password": "hunter2", "auth": "hunter2"}}}"#;
    let configuration = DockerConfig::parse(text).unwrap();
    let credential_sources = configuration.credential_sources(&repository("x.io/a"));
    let Some(CredentialSource::Entry(key, entry)) = credential_sources.first() else {
        panic!("{credential_sources:?}");
    };
    let login = entry.login(key);
    assert!(!format!("{configuration:?} {credential_sources:?} {login:?}").contains("hunter2"));
    assert!(
        !DockerConfig::parse("{\"auths\": \"hunter2\"}")
            .unwrap_err()
            .contains("hunter2")
    );
}
