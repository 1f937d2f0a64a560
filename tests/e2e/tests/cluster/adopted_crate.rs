//! Crates as others have them: what `deploy-tool init` asks of an ordinary server is enough to run it as Wasm, and what Cargo
//! takes, the builder takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::new_project::end_background_compilation;
use crate::harness::{CommandOutput, context, deploy_tool_command, eventually, kubectl, unique};

const SOURCE: &str = "use std::convert::Infallible;

use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Request, Response, Server};

async fn answer(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::from(\"adopted\\n\")))
}

#[tokio::main]
async fn main() {
    let address = ([127, 0, 0, 1], 3000).into();
    let service = make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(answer)) });
    Server::try_bind(&address).unwrap().serve(service).await.unwrap();
}
";

struct Namespace(String);

impl Drop for Namespace {
    fn drop(&mut self) {
        for kind in ["namespace", "runtimeclass"] {
            kubectl(&["delete", kind, &self.0, "--ignore-not-found", "--wait=false"]);
        }
    }
}

fn run(folder: &Path, verb: &[&str]) -> CommandOutput {
    CommandOutput::from(deploy_tool_command(verb).current_dir(folder).output().unwrap())
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_plain_server_runs_once_it_is_as_init_says() {
    let home = tempfile::tempdir().unwrap();
    let name = unique("adopted");
    let _namespace = Namespace(name.clone());
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\nrust-version = \"1.85\"\n\n[dependencies]\n\
         hyper = {{ version = \"0.14\", features = [\"full\"] }}\ntokio = {{ version = \"1\", features = [\"full\"] }}\n"
    );
    let source = home.path().join("src/main.rs");
    fs::create_dir(home.path().join("src")).unwrap();
    fs::write(home.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(&source, SOURCE).unwrap();

    let output = run(home.path(), &["init", "--write"]).success();
    for expected in [
        "src/main.rs:10 [threads]",
        "src/main.rs:12 [loopback]",
        "src/main.rs:14 [two-packets]",
    ] {
        assert!(output.stdout.contains(expected), "{expected}: {}", output.stdout);
    }
    // As it says, line by line.
    let changed = SOURCE
        .replace("#[tokio::main]", "#[tokio::main(flavor = \"current_thread\")]")
        .replace("[127, 0, 0, 1]", "[0, 0, 0, 0]")
        .replace(".serve(service)", ".http1_writev(false).serve(service)");
    fs::write(&source, changed).unwrap();
    let mut lock = Command::new("cargo");
    lock.args(["generate-lockfile"])
        .env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
    CommandOutput::from(lock.current_dir(home.path()).output().unwrap()).success();
    let again = run(home.path(), &["init"]).success();
    for expected in ["runs as Wasm as it is", "nothing to add: everything is there"] {
        assert!(again.stdout.contains(expected), "{expected}: {}", again.stdout);
    }

    let output = run(home.path(), &["up", "--dev", "--context", &context()]).success();
    end_background_compilation(&output);
    let path = format!("/api/v1/namespaces/{name}/services/{name}:http/proxy/");
    eventually("the Service answers", || {
        (kubectl(&["get", "--raw", &path]).stdout.trim() == "adopted").then_some(())
    });
    run(home.path(), &["down", "--delete-data", "--context", &context()]).success();
}

fn shell(folder: &Path, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(folder);
    CommandOutput::from(command.output().unwrap()).success();
}

/// A crate of a git repository that is vendored in the project, a module called `target`, files that are none, a profile of
/// Cargo's own.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_project_is_compiled_whatever_else_is_in_its_folder() {
    let home = tempfile::tempdir().unwrap();
    let manifest = "[package]\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    for (path, text) in [
        ("number/Cargo.toml", format!("{manifest}name = \"number\"\n")),
        ("number/src/lib.rs", "pub const NUMBER: u8 = 1;\n".to_owned()),
        (
            "shop/Cargo.toml",
            format!(
                "{manifest}name = \"shop\"\n[dependencies]\nnumber = {{ git = \"file://{}/number\" }}\n",
                home.path().display()
            ),
        ),
        (
            "shop/src/main.rs",
            "mod target;\nfn main() { println!(\"{}\", target::NUMBER); }\n".to_owned(),
        ),
        ("shop/src/target/mod.rs", "pub use number::NUMBER;\n".to_owned()),
        ("shop/oci/shop/image.yaml", "profile: dev\n".to_owned()),
    ] {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    shell(
        &home.path().join("number"),
        "git init -q && git add . && git -c user.name=a -c user.email=a@b.c commit -qm number",
    );
    let shop = home.path().join("shop");
    shell(
        &shop,
        "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback cargo generate-lockfile
        mkdir .cargo && cargo vendor --versioned-dirs vendored >../config.toml && mv ../config.toml .cargo/
        grep -q '^git = ' .cargo/config.toml
        mkfifo pipe && ln -s nowhere dangling && ln -s . circle",
    );
    run(&shop, &["build"]).success();
}
