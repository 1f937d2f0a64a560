//! A real MariaDB in a container, on a port of this host's loopback.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row};

use crate::certificates::Certificates;
use crate::{await_that, container_label, eventually, skip};

const IMAGE: &str = "localhost/wasm-mariadb:11.8";

/// A running MariaDB; ends with its value.
#[derive(Debug)]
pub struct Database {
    container: String,
    port: u32,
}

impl Database {
    /// One for all tests of this process that only need a database of their own name.
    pub fn shared(test: &str) -> Option<Arc<Database>> {
        static SHARED: Mutex<Weak<Database>> = Mutex::new(Weak::new());
        // A test that failed while it started the database does not keep others from trying.
        let mut shared = SHARED.lock().unwrap_or_else(|error| error.into_inner());
        let database = match shared.upgrade() {
            Some(database) => database,
            None => Arc::new(Database::start(test)?),
        };
        *shared = Arc::downgrade(&database);
        Some(database)
    }

    /// Starts one, or tells why that cannot be done here.
    pub fn start(test: &str) -> Option<Database> {
        Database::start_with(test, &[], &[])
    }

    /// Starts one that offers TLS, and shows the certificate that [`Certificates::show`] has put there.
    pub fn start_encrypted(test: &str, certificates: &Certificates) -> Option<Database> {
        let volume = format!("--volume={}:/tls:ro", certificates.folder().display());
        let server = ["--ssl-cert=/tls/server.crt", "--ssl-key=/tls/server.key"];
        Database::start_with(test, &[&volume, "--security-opt=label=disable"], &server)
    }

    /// Starts one that offers no TLS.
    pub fn start_without_tls(test: &str) -> Option<Database> {
        Database::start_with(test, &[], &["--skip-ssl"])
    }

    /// Has it read its certificate again, for the connections to come.
    pub fn reload_certificate(&self) {
        self.administer("FLUSH SSL").unwrap();
    }

    fn start_with(test: &str, options: &[&str], server: &[&str]) -> Option<Database> {
        if let Err(why) = docker(&["image", "inspect", "--format", "{{.Id}}", IMAGE]) {
            skip(
                test,
                &format!("{IMAGE} cannot be started ({why}); make it with scripts/images"),
            );
            return None;
        }
        let database = eventually("the database has a port", || {
            match Database::on_free_port(options, server) {
                Ok(database) => Some(database),
                // Another program has it: the next one.
                Err(error) if error.contains("already") => None,
                Err(error) => panic!("{error}"),
            }
        });
        await_that("the database takes orders from its administrator", || {
            // Tests make databases of their own.
            database.administer("GRANT ALL ON *.* TO 'orders'@'%'").is_ok()
        });
        database.await_ready();
        Some(database)
    }

    /// Starts a container on a port that stays the same when it is restarted. Below 32768, where the kernel's own choice
    /// begins, no other program gets it by chance while the container is stopped.
    fn on_free_port(options: &[&str], server: &[&str]) -> Result<Database, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() + COUNT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + number % 10_000;
        let publish = format!("--publish=127.0.0.1:{port}:3306");
        let label = container_label();
        let fixed = [
            "create",
            &publish,
            "--env=MARIADB_ROOT_PASSWORD=secret",
            "--env=MARIADB_ROOT_HOST=localhost",
            "--env=MARIADB_USER=orders",
            "--env=MARIADB_PASSWORD=secret",
            "--env=MARIADB_DATABASE=orders",
            &label,
        ];
        let container = docker(&[&fixed, options, &[IMAGE], server].concat())?;
        let database = Database { container, port };
        docker(&["start", &database.container])?;
        Ok(database)
    }

    /// Waits until the database lets clients in.
    pub fn await_ready(&self) {
        await_that("the database answers", || self.try_query("orders", "SELECT 1").is_ok());
    }

    /// Runs a statement as root.
    pub fn administer(&self, sql: &str) -> Result<String, String> {
        // Over the socket, whatever its certificate is.
        let client = [
            "mariadb",
            "--skip-ssl",
            "--user=root",
            "--password=secret",
            "--execute",
            sql,
        ];
        docker(&[&["exec", &self.container], &client[..]].concat())
    }

    /// The option of `docker run` for a container on its network, where it is at port 3306 of the loopback.
    pub fn beside(&self) -> String {
        format!("--network=container:{}", self.container)
    }

    /// The URL of a database by name.
    pub fn url(&self, name: &str) -> String {
        format!("mysql://orders:secret@127.0.0.1:{}/{name}", self.port)
    }

    /// Makes an empty database and returns its URL.
    pub fn create(&self, name: &str) -> String {
        self.query("orders", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// Runs one statement.
    pub fn query(&self, name: &str, sql: &str) -> Vec<Row> {
        self.try_query(name, sql).unwrap()
    }

    fn try_query(&self, name: &str, sql: &str) -> mysql_async::Result<Vec<Row>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options = Opts::from_url(&format!("{}?prefer_socket=false", self.url(name)))?;
            let mut connection = Conn::new(options).await?;
            let rows = connection.query(sql).await?;
            connection.disconnect().await?;
            Ok(rows)
        })
    }

    /// Does something to the container: `pause`, `unpause`, `stop`, `start`, `kill`, `restart`.
    pub fn container(&self, action: &str) {
        container_action(action, &self.container);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.container]);
    }
}

/// Runs an action of Docker on a container: `pause`, `stop` and the like.
pub fn container_action(action: &str, container: &str) {
    eventually(&format!("docker {action} succeeds"), || {
        match docker(&[action, container]) {
            Ok(_) => Some(()),
            // With cgroup v1 runc gives up after some attempts, on a busy host.
            Err(error) if error.contains("unable to freeze") => None,
            Err(error) => panic!("{error}"),
        }
    });
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .map_err(|error| format!("docker: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}
