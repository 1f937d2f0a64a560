//! Who logs in, and what is said when that does not work.

use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::registry::{Image, PASSWORD, Registry, USER};

use crate::Push;

#[test]
#[ignore = "needs Docker, see main.rs"]
fn logins_come_from_everywhere_people_keep_them() {
    let registry = Registry::start();
    let image = Image::new(3, &[40]);
    let to = |name: &str| Push::new(&image, &format!("{}/{name}:1", registry.address)).trusting(&registry);

    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let file = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, registry.address);
    to("file").configured(&file).run().success();

    let mut variables = to("variables");
    variables.variables = vec![
        ("REGISTRY_USERNAME", USER.into()),
        ("REGISTRY_PASSWORD", PASSWORD.into()),
    ];
    variables.run().success();

    let helper = to("helper").configured(r#"{"credsStore": "test"}"#);
    let program = helper.home.path().join("docker-credential-test");
    let answer = format!(r#"{{"Username":"{USER}","Secret":"{PASSWORD}"}}"#);
    std::fs::write(
        &program,
        format!(
            "#!/bin/sh\nread -r server\n[ \"$server\" = '{}' ] && echo '{answer}'\n",
            registry.address
        ),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    helper.run().success();
}

/// podman's places and keys.
#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_login_of_the_longest_path_counts() {
    let registry = Registry::start();
    let image = Image::new(3, &[40]);
    let entry = |key: &str, password: &str| {
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        format!(r#""{}{key}": {{"auth": "{auth}"}}"#, registry.address)
    };
    let text = |entries: &[String]| format!(r#"{{"auths": {{{}}}}}"#, entries.join(", "));
    let push = |name: &str, place: &str, text: &str| {
        let push = Push::new(&image, &format!("{}/{name}:1", registry.address)).trusting(&registry);
        let file = push.home.path().join(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        push
    };
    let team = text(&[
        entry("", "wrong"),
        entry("/team", PASSWORD),
        entry("/team/other", "wrong"),
    ]);
    push("team/orders", ".config/containers/auth.json", &team)
        .run()
        .success();
    push("orders", ".docker/config.json", &team)
        .run()
        .failure(2, &["error DT0702:"]);
    let unrelated = text(&[entry("/other", PASSWORD)]);
    push("team/orders", ".docker/config.json", &unrelated).run().failure(
        2,
        &["error DT0701:", ".config/containers/auth.json", ".docker/config.json"],
    );
    // Who only reads gives the password of the environment to nobody whom it is not meant for.
    let mut read =
        Push::with_arguments(&["inspect", &format!("{}/team/orders:1", registry.address)]).trusting(&registry);
    read.variables = vec![
        ("REGISTRY_USERNAME", USER.into()),
        ("REGISTRY_PASSWORD", PASSWORD.into()),
    ];
    read.run().failure(2, &["error DT0701:", "REGISTRY_HOST"]);
    read.variables.push(("REGISTRY_HOST", registry.address.clone()));
    read.run().success();
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn each_refusal_has_its_number() {
    let registry = Registry::start();
    let image = Image::new(4, &[40]);
    let name = "shop:1";
    let to = format!("{}/{name}", registry.address);
    Push::new(&image, &to)
        .trusting(&registry)
        .run()
        .failure(2, &["error DT0701:", "docker login"]);
    let wrong = Push::with_login(&image, &registry, name, "wrong").run();
    wrong.failure(2, &["error DT0702:", "the login is that of user `ann`"]);
    let mut untrusted = Push::new(&image, &to).with(&["--user", USER, "--password-stdin"]);
    untrusted.password = Some(PASSWORD.to_owned());
    untrusted.run().failure(2, &["error DT0707:", "--registry-ca"]);
    Push::new(&image, &to)
        .trusting(&registry)
        .configured("{")
        .run()
        .failure(1, &["error DT0706:", "config.json", "asks for a login"]);
    let helper = Push::new(&image, &to)
        .trusting(&registry)
        .configured(r#"{"credsStore": "missing"}"#);
    helper.run().failure(3, &["error DT0706:", "docker-credential-missing"]);
    Push::new(&image, "127.0.0.1:1/shop:1")
        .run()
        .failure(2, &["error DT0709:"]);
    // A page, not a registry.
    let http = Push::new(&image, &to).with(&["--insecure-http"]).run();
    http.failure(2, &["error DT0708:"]);
}
