//! A registry that wants tokens, as Docker Hub does: they are had for all scopes at once, and renewed when they expire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::registry::proxy::{Fault, Proxy};
use e2e::registry::{Gate, Image, Known, Registry};

use crate::Push;
use crate::signatures::{Keys, text};

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn push(image: &Image, proxy: &Proxy, password: &str) -> Push {
    let mut push =
        Push::new(image, &format!("{}/shop/orders:1", proxy.address)).with(&["--user", "ann", "--password-stdin"]);
    push.password = Some(password.to_owned());
    push
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn tokens_are_renewed_when_they_expire() {
    let registry = Registry::start_plain(&[]);
    let proxy = Proxy::start(&registry.address);
    proxy.guard(Gate::new(Known::Basic(basic("ann", "secret-password")), 10));
    let image = Image::new(5, &[100_000, 200_000]);
    let from = format!("{}/other", proxy.address);
    push(&image, &proxy, "secret-password")
        .with(&["--mount-from", &from])
        .run()
        .success();
    let (given, asked) = proxy.gate(|gate| (gate.given(), gate.asked().to_vec()));
    assert!(given > 1, "{given} tokens");
    for scope in ["repository%3Ashop%2Forders%3Apull%2Cpush", "repository%3Aother%3Apull"] {
        assert!(asked[0].contains(scope), "{}", asked[0]);
    }

    let wrong = push(&image, &proxy, "wrong-password").run();
    wrong.failure(2, &["error DT0702:", "incorrect username or password"]);
    let nobody = Push::new(&image, &format!("{}/shop/orders:1", proxy.address)).run();
    nobody.failure(2, &["error DT0701:"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn an_identity_token_is_exchanged_and_can_have_expired() {
    let registry = Registry::start_plain(&[]);
    let proxy = Proxy::start(&registry.address);
    proxy.guard(Gate::new(Known::Identity("kept-by-docker"), 1_000));
    let image = Image::new(6, &[40]);
    let with = |token: &str| {
        let text = format!(
            r#"{{"auths": {{"{}": {{"identitytoken": "{token}"}}}}}}"#,
            proxy.address
        );
        Push::new(&image, &format!("{}/shop:1", proxy.address))
            .configured(&text)
            .run()
    };
    with("kept-by-docker").success();
    with("of-last-year").failure(2, &["error DT0703:", "an identity token"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn who_may_not_push_is_told_so() {
    let registry = Registry::start_plain(&[]);
    let proxy = Proxy::start(&registry.address);
    let image = Image::new(7, &[40]);
    let denied = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    proxy.fail("POST", "/uploads/", Fault::Answer(403, &[], denied), 1);
    let output = Push::new(&image, &format!("{}/shop:1", proxy.address)).run();
    output.failure(2, &["error DT0704:", "requested access to the resource is denied"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn who_only_reads_asks_for_no_more_and_is_told_of_reading() {
    let registry = Registry::start_plain(&[]);
    let proxy = Proxy::start(&registry.address);
    let (name, keys) = (format!("{}/shop:1", proxy.address), Keys::new());
    let key = keys.public();
    let verify = || Push::with_arguments(&["verify", &name, "--key", text(&key)]);
    Push::new(&Image::new(8, &[40]), &name).run().success();
    proxy.fail("GET", "/manifests/", Fault::Answer(403, &[], ""), 1);
    verify()
        .run()
        .failure(2, &["error DT0718:", "cannot read from", "get the right to read there"]);

    proxy.guard(Gate::new(Known::Identity("kept-by-docker"), 1_000));
    let configuration = format!(
        r#"{{"auths": {{"{}": {{"identitytoken": "kept-by-docker"}}}}}}"#,
        proxy.address
    );
    let output = verify().configured(&configuration).run();
    output.failure(1, &["error DT0716:"]);
    let asked = proxy.gate(|gate| gate.asked().to_vec());
    assert!(asked[0].contains("scope=repository%3Ashop%3Apull&"), "{}", asked[0]);
}
