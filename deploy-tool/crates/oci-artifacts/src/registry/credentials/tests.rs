use super::*;

const READ: Purpose = Purpose::Read;
const PUSH: Purpose = Purpose::Push { from: None };

fn repository(text: &str) -> Repository {
    Repository::parse(text).unwrap().0
}

#[test]
fn a_password_of_the_environment_goes_to_its_own_registry() {
    let registry = [("REGISTRY_USERNAME", "r"), ("REGISTRY_PASSWORD", "p")];
    let hub = [("DOCKER_USERNAME", "d"), ("DOCKER_PASSWORD", "p")];
    let named = |host| [("REGISTRY_HOST", host)];
    let both = [registry, hub].concat();
    for (set, name, purpose, expected) in [
        (registry.to_vec(), "x.io/a", PUSH, Some("r")),
        (registry.to_vec(), "x.io/a", READ, None),
        (registry.to_vec(), "you/a", READ, None),
        ([&registry[..], &named("x.io")].concat(), "x.io/a", READ, Some("r")),
        (
            [&registry[..], &named("https://x.io/")].concat(),
            "x.io/a",
            READ,
            Some("r"),
        ),
        ([&registry[..], &named("x.io")].concat(), "x.io:5000/a", READ, None),
        (
            [&registry[..], &named("x.io")].concat(),
            "x.io.evil.example/a",
            READ,
            None,
        ),
        (
            [&registry[..], &named("x.io")].concat(),
            "evil.example/x.io",
            READ,
            None,
        ),
        ([&registry[..], &named("x.io")].concat(), "evil.example/a", PUSH, None),
        ([&registry[..], &named("docker.io")].concat(), "you/a", READ, Some("r")),
        (
            [&registry[..], &named("index.docker.io")].concat(),
            "you/a",
            READ,
            Some("r"),
        ),
        ([&both[..], &named("x.io")].concat(), "you/a", PUSH, Some("d")),
        (hub.to_vec(), "you/a", READ, Some("d")),
        (hub.to_vec(), "x.io/a", PUSH, None),
        (vec![("REGISTRY_USERNAME", "r")], "x.io/a", PUSH, None),
    ] {
        let variable = |name: &str| {
            let mut found = set.iter().filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| (*value).to_owned())
        };
        let found = from_environment(variable, &repository(name), &purpose);
        let expected = expected.map(|user| Login::password(user, "p"));
        assert_eq!(found, expected, "{set:?} {name} {purpose:?}");
        let is_told = variables(variable, &repository(name), &purpose)[0].contains("not sent");
        let is_kept_back = variable("REGISTRY_PASSWORD").is_some()
            && !matches!(&found, Some(Login::Password { user, .. }) if user == "r");
        assert_eq!(is_told, is_kept_back, "{set:?} {name} {purpose:?}");
    }
}

#[test]
fn files_are_those_of_podman_and_docker() {
    let all: &[(&str, &str)] = &[
        ("HOME", "/h"),
        ("REGISTRY_AUTH_FILE", "/a.json"),
        ("DOCKER_CONFIG", "/d"),
        ("XDG_RUNTIME_DIR", "/r"),
        ("XDG_CONFIG_HOME", "/c"),
    ];
    for (set, expected) in [
        (
            all,
            vec![
                "/a.json",
                "/d/config.json",
                "/r/containers/auth.json",
                "/c/containers/auth.json",
            ],
        ),
        (
            &all[..1],
            vec![
                "/run/containers/7/auth.json",
                "/h/.config/containers/auth.json",
                "/h/.docker/config.json",
            ],
        ),
        (&[], vec!["/run/containers/7/auth.json"]),
    ] {
        let variable = |name: &str| {
            let mut found = set.iter().filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| OsString::from(value))
        };
        let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
        assert_eq!(files(variable, 7), expected);
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_kept_for_who_wants_a_login() {
    let search = async |text: &str| {
        let mut found = FoundLogin::default();
        found.search("file", text, &repository("x.io/a")).await;
        found
    };
    for text in [
        "{",
        r#"{"credsStore": "of-nobody"}"#,
        r#"{"credsStore": "../../bin/sh"}"#,
        r#"{"credHelpers": {"x.io": "of-nobody"}}"#,
        r#"{"auths": {"x.io": {"auth": "!"}}}"#,
    ] {
        let found = search(text).await;
        assert_eq!((found.login.is_none(), found.unusable.len()), (true, 1), "{text}");
        assert!(found.warnings()[0].contains("without a login"), "{text}");
    }
    // What stands in the file counts all the same.
    let found = search(r#"{"credsStore": "of-nobody", "auths": {"x.io": {"username": "u", "password": "p"}}}"#).await;
    assert_eq!(found.login, Some(Login::password("u", "p")));
    assert_eq!(found.warnings(), [""; 0]);
    assert_eq!(found.searched, ["file", "docker-credential-of-nobody"]);
}
