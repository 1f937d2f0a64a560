//! A small registry in memory, which differs from the specification as some public ones do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use oci_artifacts::Digest;
use oci_artifacts::image::specification::{
    CONFIGURATION, Descriptor, INDEX, Index, LAYER, MANIFEST, Manifest, Platform,
};
use oci_artifacts::image::{Blob, Layout, attach, compress, store};
use serde_json::{Value, json};

pub const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh4NQED+S4FTGQTGq\nLBbvW0Y/XckI3/RmgE5AGISyQkyhRANCAAT7qsrQerNXyPs0rxAdcLv08JKDPS0t\nQpr30EC7f7ZgmKLJvcfKvdY0siLcno1kJJ2jbcs9OiXQrzmxweMuBnBj\n-----END PRIVATE KEY-----\n";
pub const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+6rK0HqzV8j7NK8QHXC79PCSgz0t\nLUKa99BAu3+2YJiiyb3Hyr3WNLIi3J6NZCSdo23LPTol0K85scHjLgZwYw==\n-----END PUBLIC KEY-----\n";

/// How a registry differs from the specification.
#[derive(Clone, Copy, Default)]
pub struct Manner {
    /// What it answers when it is asked for what is attached to an image.
    pub referrers: Option<(u16, &'static str)>,
    /// It takes a tag `sha256-…` for the digest.
    pub aliases: bool,
    /// It takes no manifest that names a subject.
    pub refuses_subject: bool,
    /// What it asks for; the token is `t`.
    pub challenge: Option<&'static str>,
}

/// A registry in memory. Each of its repositories has everything.
#[derive(Default)]
pub struct Memory {
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// The lines of all requests with their authorization.
    pub requests: Vec<String>,
}

pub struct Registry {
    pub address: String,
    pub memory: Arc<Mutex<Memory>>,
    pub home: tempfile::TempDir,
}

impl Registry {
    pub fn start(manner: Manner) -> Self {
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
    pub fn image(&self) -> String {
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
        attach(&mut layout, "application/vnd.cyclonedx+json", b"{}".to_vec()).unwrap();
        let path = self.home.path().join("image");
        store::write(&path, &layout).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs the tool. Returns whether it ended well, and all that it said.
    pub fn tool(&self, arguments: &[&str]) -> (bool, String) {
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

    pub fn succeed(&self, arguments: &[&str]) -> String {
        let (good, said) = self.tool(arguments);
        assert!(good, "{arguments:?}: {said}");
        said
    }

    pub fn fail(&self, arguments: &[&str], expected: &str) {
        let (good, said) = self.tool(arguments);
        assert!(!good && said.contains(expected), "{arguments:?}: {expected}\n{said}");
    }

    /// Pushes the image. Returns its digest and what was said.
    pub fn push(&self, to: &str) -> (String, String) {
        let said = self.succeed(&["push", &self.image(), "--to", &self.name(to)]);
        let digest = said.split("@sha256:").nth(1).unwrap();
        (format!("sha256:{}", &digest[..64]), said)
    }
}

pub fn serve(stream: &TcpStream, manner: Manner, memory: &Mutex<Memory>, name: &str) {
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
    pub fn answer(
        &mut self,
        manner: Manner,
        method: &str,
        path: &str,
        (kind, body): (String, Vec<u8>),
    ) -> (u16, String, Vec<u8>, String) {
        let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
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
                _ => {
                    if self
                        .blobs
                        .contains_key(&query.replace("digest=", "").replace("%3A", ":"))
                    {
                        plain(201)
                    } else {
                        plain(400)
                    }
                }
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

    pub fn attach(&mut self, kind: &str, subject: &str, bytes: Vec<u8>) -> Descriptor {
        let blob = Blob::from_bytes(kind, bytes);
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST.into(),
            artifact_type: Some(kind.into()),
            config: Blob::from_bytes("application/vnd.oci.empty.v1+json", b"{}".to_vec()).descriptor(),
            layers: vec![blob.descriptor()],
            subject: Some(Descriptor {
                media_type: INDEX.into(),
                digest: subject.parse().unwrap(),
                ..Descriptor::default()
            }),
            annotations: BTreeMap::new(),
        };
        let manifest = Blob::from_bytes(MANIFEST, serde_json::to_vec(&manifest).unwrap());
        self.blobs.insert(blob.digest.to_string(), blob.bytes().to_vec());
        self.manifests.insert(
            manifest.digest.to_string(),
            (MANIFEST.into(), manifest.bytes().to_vec()),
        );
        manifest.descriptor()
    }
}
