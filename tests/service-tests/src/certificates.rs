//! Certificates of every kind that a server may show, made by `openssl`.

use std::path::Path;
use std::process::Command;

/// A folder with an authority (`ca`), another one (`stranger`), and servers' certificates for `localhost` and 127.0.0.1: `good`,
/// `other` for another name, `expired`, `self` by itself, and `unknown` by the other authority. Each is a `.crt` and a `.key`.
#[derive(Debug)]
pub struct Certificates(tempfile::TempDir);

const SCRIPT: &str = r#"set -e
    new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
    for name in ca stranger; do
        openssl req -x509 $new -keyout $name.key -out $name.crt -days 2 -subj "/CN=$name" -addext keyUsage=critical,keyCertSign
    done
    echo "subjectAltName=$NAMES" >here.ext
    echo subjectAltName=DNS:elsewhere.example >elsewhere.ext
    openssl req -x509 $new -keyout self.key -out self.crt -days 2 -subj /CN=localhost -addext "$(cat here.ext)"
    sign() {
        openssl req $new -keyout $1.key -out $1.csr -subj /CN=localhost
        openssl x509 -req -CA $2.crt -CAkey $2.key -CAcreateserial -in $1.csr -out $1.crt -extfile $3.ext -days $4
    }
    sign good ca here 2
    sign other ca elsewhere 2
    sign expired ca here -1
    sign unknown stranger here 2
    chmod 755 .
    chmod 644 *.key"#;

impl Certificates {
    /// Makes them.
    pub fn make() -> Certificates {
        Certificates::make_for("DNS:localhost,IP:127.0.0.1")
    }

    /// Makes them for servers of other names, written as openssl does: `DNS:db.example`.
    pub fn make_for(names: &str) -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", SCRIPT])
            .env("NAMES", names)
            .current_dir(folder.path());
        let output = shell.output().unwrap();
        assert!(
            output.status.success(),
            "openssl: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Certificates(folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// A file of it, as a text.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Has the server of [`Database::start_encrypted`](crate::database::Database::start_encrypted) show one of them, when it
    /// looks again.
    pub fn show(&self, name: &str) {
        for kind in ["crt", "key"] {
            std::fs::copy(
                self.path(&format!("{name}.{kind}")),
                self.path(&format!("server.{kind}")),
            )
            .unwrap();
        }
    }
}
