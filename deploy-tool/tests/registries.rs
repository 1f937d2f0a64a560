//! `push`, `inspect`, `sign` and `verify` against registries that answer as some public ones do, and a real one cannot be
//! brought to: a small one in memory. What a real one can do is in tests/e2e.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use oci_artifacts::image::specification::{
    CONFIGURATION, Descriptor, INDEX, Index, LAYER, MANIFEST, Manifest, Platform,
};
use oci_artifacts::image::{Blob, Layout, attach, compress, store};
use oci_artifacts::signature::{PrivateKey, envelope};
use serde_json::{Value, json};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh4NQED+S4FTGQTGq\nLBbvW0Y/XckI3/RmgE5AGISyQkyhRANCAAT7qsrQerNXyPs0rxAdcLv08JKDPS0t\nQpr30EC7f7ZgmKLJvcfKvdY0siLcno1kJJ2jbcs9OiXQrzmxweMuBnBj\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+6rK0HqzV8j7NK8QHXC79PCSgz0t\nLUKa99BAu3+2YJiiyb3Hyr3WNLIi3J6NZCSdo23LPTol0K85scHjLgZwYw==\n-----END PUBLIC KEY-----\n";

/// How a registry differs from the specification.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// What it answers when it is asked for what is attached to an image.
    referrers: Option<(u16, &'static str)>,
    /// It takes a tag `sha256-…` for the digest.
    aliases: bool,
    /// It takes no manifest that names a subject.
    refuses_subject: bool,
    /// What it asks for; the token is `t`.
    challenge: Option<&'static str>,
}

/// A registry in memory. Each of its repositories has everything.
#[derive(Default)]
struct Memory {
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// The lines of all requests with their authorization.
    requests: Vec<String>,
}

struct Registry {
    address: String,
    memory: Arc<Mutex<Memory>>,
    home: tempfile::TempDir,
}

impl Registry {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let memory: Arc<Mutex<Memory>> = Arc::default();
        let (shared, name) = (memory.clone(), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, name) = (shared.clone(), name.clone());
                std::thread::spawn(move || serve(&stream.unwrap(), manner, &shared, &name));
            }
        });
        Self {
            address,
            memory,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// The image of one module, with something attached to it, as a folder.
    fn image(&self) -> String {
        let tar = oci_artifacts::image::layer([oci_artifacts::image::LayerFile {
            path: "/app.wasm",
            bytes: b"\0asm\x01\0\0\0",
            mode: 0o444,
        }])
        .unwrap();
        let configuration = json!({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/app.wasm"]}});
        let blobs = vec![
            Blob::from_bytes(CONFIGURATION, configuration.to_string().into_bytes()),
            Blob::from_bytes(LAYER, compress(&tar).unwrap()),
        ];
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": blobs[0].descriptor(),
            "layers": [blobs[1].descriptor()]});
        let manifest = Blob::from_bytes(MANIFEST, manifest.to_string().into_bytes());
        let platform = Platform {
            architecture: "amd64".into(),
            os: "linux".into(),
            variant: None,
        };
        let index = Index {
            schema_version: 2,
            media_type: INDEX.into(),
            manifests: vec![Descriptor {
                platform: Some(platform),
                ..manifest.descriptor()
            }],
            ..Index::default()
        };
        let mut layout = Layout {
            name: None,
            root: Blob::from_bytes(INDEX, serde_json::to_vec(&index).unwrap()),
            manifests: vec![manifest],
            absent: Vec::new(),
            blobs,
            referrers: Vec::new(),
        };
        attach(&mut layout, "application/vnd.cyclonedx+json", b"{}".to_vec());
        let path = self.home.path().join("image");
        store::write(&path, &layout).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs the tool. Returns whether it ended well, and all that it said.
    fn tool(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var("PATH").unwrap());
        command
            .env("REGISTRY_USERNAME", "ann")
            .env("REGISTRY_PASSWORD", "hunter2");
        let output = command.args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let (good, said) = self.tool(arguments);
        assert!(good, "{arguments:?}: {said}");
        said
    }

    fn fail(&self, arguments: &[&str], expected: &str) {
        let (good, said) = self.tool(arguments);
        assert!(!good && said.contains(expected), "{arguments:?}: {expected}\n{said}");
    }

    /// Pushes the image. Returns its digest and what was said.
    fn push(&self, to: &str) -> (String, String) {
        let said = self.succeed(&["push", &self.image(), "--to", &self.name(to)]);
        let digest = said.split("@sha256:").nth(1).unwrap();
        (format!("sha256:{}", &digest[..64]), said)
    }
}

fn serve(stream: &TcpStream, manner: Manner, memory: &Mutex<Memory>, name: &str) {
    let mut reader = BufReader::new(stream);
    loop {
        // What begins TLS gets what servers without it say; the client tries again without.
        if reader.fill_buf().is_ok_and(|bytes| bytes.first() == Some(&0x16)) {
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            return;
        }
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let Some((method, path)) = head.first().and_then(|line| line.split_once(' ')) else {
            return;
        };
        let path = path.split(' ').next().unwrap_or_default().to_owned();
        let header = |name: &str| {
            let mut values = head.iter().filter_map(|line| line.split_once(": "));
            values
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let authorization = header("authorization").unwrap_or_default();
        let mut memory = memory.lock().unwrap();
        memory.requests.push(format!("{method} {path} {authorization}"));
        let kind = header("content-type").unwrap_or_default();
        let (status, kind, body, more) = match manner.challenge {
            _ if path.starts_with("/token") => (200, String::new(), br#"{"token":"t"}"#.to_vec(), String::new()),
            Some(challenge) if authorization != "Bearer t" => {
                let challenge = challenge.replace("REALM", &format!("http://{name}/token"));
                (
                    401,
                    String::new(),
                    Vec::new(),
                    format!("WWW-Authenticate: {challenge}\r\n"),
                )
            }
            _ => memory.answer(manner, method, &path, (kind, body)),
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n");
        let mut stream = stream;
        let body: &[u8] = if method == "HEAD" { &[] } else { &body };
        if stream
            .write_all(answer.as_bytes())
            .and_then(|()| stream.write_all(body))
            .is_err()
        {
            return;
        }
    }
}

impl Memory {
    fn answer(
        &mut self,
        manner: Manner,
        method: &str,
        path: &str,
        (kind, body): (String, Vec<u8>),
    ) -> (u16, String, Vec<u8>, String) {
        let digest = |bytes: &[u8]| Blob::from_bytes("", bytes.to_vec()).digest;
        let plain = |status| (status, String::new(), Vec::new(), String::new());
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let last = path.rsplit('/').next().unwrap().to_owned();
        if path == "/v2/" {
            return plain(200);
        }
        if path.contains("/referrers/") {
            let (status, text) = manner.referrers.unwrap_or((404, "404 page not found"));
            return (status, "text/html".into(), text.into(), String::new());
        }
        if path.contains("/blobs/uploads/") {
            return match method {
                "POST" => (202, String::new(), Vec::new(), format!("Location: {path}1\r\n")),
                // Small blobs come in one piece.
                "PATCH" => {
                    self.blobs.insert(digest(&body), body);
                    (202, String::new(), Vec::new(), format!("Location: {path}\r\n"))
                }
                _ => match self
                    .blobs
                    .contains_key(&query.replace("digest=", "").replace("%3A", ":"))
                {
                    true => plain(201),
                    false => plain(400),
                },
            };
        }
        if path.contains("/blobs/") {
            return match self.blobs.get(&last) {
                Some(bytes) => (200, String::new(), bytes.clone(), String::new()),
                None => plain(404),
            };
        }
        if method == "PUT" {
            let said: Value = serde_json::from_slice(&body).unwrap();
            if manner.refuses_subject && said["subject"].is_object() {
                let error = br#"{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}"#;
                return (400, String::new(), error.to_vec(), String::new());
            }
            self.manifests.insert(digest(&body), (kind.clone(), body.clone()));
            self.manifests.insert(last, (kind, body));
            return plain(201);
        }
        let alias = last.replacen("sha256-", "sha256:", 1);
        let found = self
            .manifests
            .get(&last)
            .or_else(|| self.manifests.get(&alias).filter(|_| manner.aliases));
        match found {
            Some((kind, bytes)) => {
                let named = format!("Docker-Content-Digest: {}\r\n", digest(bytes));
                (200, kind.clone(), bytes.clone(), named)
            }
            None => plain(404),
        }
    }

    fn attach(&mut self, kind: &str, subject: &str, bytes: Vec<u8>) -> Descriptor {
        let blob = Blob::from_bytes(kind, bytes);
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST.into(),
            artifact_type: Some(kind.into()),
            config: Blob::from_bytes("application/vnd.oci.empty.v1+json", b"{}".to_vec()).descriptor(),
            layers: vec![blob.descriptor()],
            subject: Some(Descriptor {
                media_type: INDEX.into(),
                digest: subject.into(),
                ..Descriptor::default()
            }),
            annotations: BTreeMap::new(),
        };
        let manifest = Blob::from_bytes(MANIFEST, serde_json::to_vec(&manifest).unwrap());
        self.blobs.insert(blob.digest.clone(), blob.bytes().to_vec());
        self.manifests
            .insert(manifest.digest.clone(), (MANIFEST.into(), manifest.bytes().to_vec()));
        manifest.descriptor()
    }
}

#[test]
fn only_a_list_says_what_is_attached() {
    let page = "<!doctype html><title>Sign in</title>";
    let with = |referrers, aliases| Manner {
        referrers,
        aliases,
        ..Manner::default()
    };
    for (why, manner) in [
        ("a page", with(Some((200, page)), false)),
        ("another document", with(Some((200, r#"{"manifests":[]}"#)), false)),
        ("no such interface", with(None, false)),
        ("not allowed", with(Some((405, "")), false)),
        ("the image for its list", with(None, true)),
    ] {
        let registry = Registry::start(manner);
        let (digest, _) = registry.push("a:1");
        let said = registry.succeed(&["inspect", &registry.name("a:1")]);
        let attached = said.split("ATTACHED").nth(1).unwrap();
        assert!(attached.contains("bill of materials"), "{why}: {said}");
        assert!(!attached.contains("something else"), "{why}: {said}");
        let key = registry.file("key.pem", KEY);
        registry.succeed(&["sign", &registry.name("a:1"), "--key", &key]);
        let memory = registry.memory.lock().unwrap();
        let list: Value = serde_json::from_slice(&memory.manifests[&digest.replace(':', "-")].1).unwrap();
        assert_eq!(list["manifests"].as_array().unwrap().len(), 1, "{why}: {list}");
    }
}

#[test]
fn a_registry_that_takes_no_subject_gets_image_and_tag() {
    let registry = Registry::start(Manner {
        refuses_subject: true,
        ..Manner::default()
    });
    for _ in 0..2 {
        let (digest, said) = registry.push("a:1");
        assert!(
            said.contains("does not take a bill of materials") && said.contains("MANIFEST_INVALID"),
            "{said}"
        );
        let memory = registry.memory.lock().unwrap();
        assert_eq!(memory.manifests["1"], memory.manifests[&digest]);
    }
    registry.succeed(&["inspect", &registry.name("a:1")]);
}

#[test]
fn of_several_challenges_the_one_that_is_known_is_taken() {
    for challenge in [
        r#"Bearer realm="REALM",service="s""#,
        r#"Bearer realm="REALM",service="s", Basic realm="r""#,
        r#"Basic realm="r", Bearer realm="REALM",service="s""#,
        r#"Negotiate, Bearer realm="REALM""#,
        "Negotiate YIIabc==, Digest realm=\"a, b\", nonce=\"c\", Bearer realm=\"REALM\"\r\nWWW-Authenticate: NTLM",
    ] {
        let registry = Registry::start(Manner {
            challenge: Some(challenge),
            ..Manner::default()
        });
        registry.fail(&["inspect", &registry.name("a:1")], "is not in its registry");
        // Who only reads tells nobody the password of the environment, who writes tells it the token server.
        let requests = |registry: &Registry| registry.memory.lock().unwrap().requests.join("\n");
        assert!(requests(&registry).contains("/token"), "{challenge}");
        assert!(
            !requests(&registry).contains("Basic "),
            "{challenge}: {}",
            requests(&registry)
        );
        registry.push("a:1");
        let requests = requests(&registry);
        let mut told = requests.lines().filter(|line| line.contains("Basic "));
        assert!(
            told.clone().count() > 0 && told.all(|line| line.contains("/token")),
            "{challenge}: {requests}"
        );
    }
}

#[test]
fn a_helper_that_is_not_there_matters_to_who_wants_a_login() {
    let registry = Registry::start(Manner::default());
    registry.push("a:1");
    for file in [r#"{"credsStore":"of-nobody"}"#, "{", r#"{"auths":{"localhost":5}}"#] {
        registry.file(".docker/config.json", file);
        let said = registry.succeed(&["inspect", &registry.name("a:1")]);
        assert!(said.contains("asked without a login"), "{file}: {said}");
    }
    let closed = Registry::start(Manner {
        challenge: Some("Basic realm=x"),
        ..Manner::default()
    });
    closed.file(".docker/config.json", r#"{"credsStore":"of-nobody"}"#);
    closed.fail(&["inspect", &closed.name("a:1")], "DT0706");
}

#[test]
fn a_signature_is_of_the_image_in_its_repository() {
    let registry = Registry::start(Manner::default());
    let (_, here, there) = (registry.push("a:1"), registry.name("a:1"), registry.name("b:1"));
    let (key, public) = (registry.file("key.pem", KEY), registry.file("key.pub", PUBLIC));
    registry.fail(&["verify", &here, "--key", &public], "DT0716");
    registry.succeed(&["sign", &here, "--key", &key]);
    registry.succeed(&["verify", &here, "--key", &public]);
    // The other repository has the same image and its signature.
    registry.fail(&["verify", &there, "--key", &public], "DT0724");
    let from = registry.name("a");
    registry.succeed(&["verify", &there, "--key", &public, "--signed-as", &from]);
    registry.fail(
        &["verify", &there, "--key", &public, "--signed-as", &registry.name("c")],
        "DT0724",
    );
    registry.succeed(&["sign", &there, "--key", &key]);
    registry.succeed(&["verify", &there, "--key", &public]);
    registry.fail(&["verify", &here, "--key", &public, "--source", "*"], "DT0719");
}

/// What `cosign sign --key` and `cosign attest --key` of release 3 attach.
#[test]
fn the_bundles_of_cosign_3_are_believed() {
    let registry = Registry::start(Manner::default());
    let (digest, _) = registry.push("a:1");
    let (image, public) = (registry.name("a:1"), registry.file("key.pub", PUBLIC));
    let bundle = |kind: &str, predicate: Value| {
        let statement = json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": kind, "predicate": predicate,
            "subject": [{"digest": {"sha256": digest.trim_start_matches("sha256:")}}]});
        let key = PrivateKey::from_pem(KEY.as_bytes()).unwrap();
        let sealed = envelope::seal(&key, statement.to_string().as_bytes()).unwrap();
        let sealed: Value = serde_json::from_slice(&sealed).unwrap();
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let bundle =
            json!({"mediaType": kind, "verificationMaterial": {"publicKey": {"hint": "x"}}, "dsseEnvelope": sealed});
        let mut memory = registry.memory.lock().unwrap();
        let entry = memory.attach(kind, &digest, bundle.to_string().into_bytes());
        let tag = digest.replace(':', "-");
        let mut list: Index = serde_json::from_slice(&memory.manifests[&tag].1).unwrap();
        list.manifests.push(entry);
        memory
            .manifests
            .insert(tag, (INDEX.into(), serde_json::to_vec(&list).unwrap()));
    };
    let builder = ["--builder", "https://ci.x.io/*"];
    let verify = ["verify", &image, "--key", &public];
    let built = json!({"runDetails": {"builder": {"id": "https://ci.x.io/1"}}, "buildDefinition":
        {"resolvedDependencies": [{"uri": "git+https://x.io/shop", "digest": {"gitCommit": "78"}}]}});
    bundle("https://slsa.dev/provenance/v1", built);
    // Who says how it was built has not signed it.
    registry.fail(&verify, "DT0716");
    bundle("https://sigstore.dev/cosign/sign/v1", json!({}));
    registry.succeed(&verify);
    let said = registry.succeed(&[&verify[..], &builder, &["--source", "https://x.io/*"]].concat());
    assert!(said.contains("git+https://x.io/shop"), "{said}");
    registry.fail(&[&verify[..], &["--builder", "https://ci.y.io/*"]].concat(), "DT0723");
    registry.fail(
        &[&verify[..], &builder, &["--source", "https://y.io/*"]].concat(),
        "DT0725",
    );
}
