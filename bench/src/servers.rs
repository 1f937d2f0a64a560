//! What is measured: three servers and their database, as containers on the host's loopback.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bench::benchmark::wrk;
use bench::http;

/// How long a server or the database may take to answer.
const START: Duration = Duration::from_secs(120);

/// One way to run the service.
#[derive(Debug)]
pub struct Build {
    /// For tables, and what `/healthz` gives as its mode.
    pub name: &'static str,
    /// Its port on loopback.
    port: u16,
}

/// The three, the native build first: the others are compared to it.
pub const BUILDS: [Build; 3] = [
    Build {
        name: "native",
        port: 18_181,
    },
    Build {
        name: "aot",
        port: 18_182,
    },
    Build {
        name: "interpreter",
        port: 18_183,
    },
];

/// A container that ends with its value.
#[derive(Debug)]
struct Container(String);

impl Container {
    fn run(arguments: &[&str]) -> Result<Self> {
        let label = format!("--label=deploy-tool.test={}", std::process::id());
        let output = Command::new("docker")
            .args(["run", "--detach", "--rm", &label, "--pull=never"])
            .args(arguments)
            .output()
            .context("cannot run docker")?;
        if !output.status.success() {
            bail!("docker run: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Self(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }

    /// The id of its first process on this machine.
    fn process(&self) -> Result<u32> {
        let output = Command::new("docker")
            .args(["inspect", "--format={{.State.Pid}}", &self.0])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().context("docker names no process of the server")
    }

    fn logs(&self) -> String {
        let output = Command::new("docker").args(["logs", "--tail=20", &self.0]).output();
        output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The container may have ended by itself; there is nobody left to tell.
        let _ = Command::new("docker")
            .args(["rm", "--force", "--volumes", &self.0])
            .output();
    }
}

/// A MariaDB on loopback, with one database for each server.
#[derive(Debug)]
pub struct Database {
    container: Container,
    port: u16,
}

impl Database {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When Docker or the image is missing.
    pub fn start() -> Result<Self> {
        let container = Container::run(&[
            "--publish=127.0.0.1::3306",
            "--env=MARIADB_ROOT_PASSWORD=bench",
            "--env=MARIADB_ROOT_HOST=localhost",
            "--env=MARIADB_USER=bench",
            "--env=MARIADB_PASSWORD=bench",
            "localhost/wasm-mariadb:11.8",
            "--innodb-flush-log-at-trx-commit=2",
            "--max-connections=200",
        ])?;
        let output = Command::new("docker")
            .args(["port", &container.0, "3306/tcp"])
            .output()?;
        let port = String::from_utf8_lossy(&output.stdout)
            .trim()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let database = Self {
            port: port.context("docker names no port of the database")?,
            container,
        };
        database.prepare()?;
        Ok(database)
    }

    /// Runs statements: as root over the socket, which is `localhost` to the client; as others over TCP, on which the server
    /// of the image's first start does not listen.
    fn sql(&self, user: &str, statements: &str) -> Result<()> {
        let host = if user == "root" { "localhost" } else { "127.0.0.1" };
        let (user, host) = (format!("--user={user}"), format!("--host={host}"));
        let client = ["mariadb", &host, &user, "--password=bench", "--execute"];
        let output = Command::new("docker")
            .args(["exec", &self.container.0])
            .args(client)
            .arg(statements)
            .output()
            .context("cannot run docker")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    fn prepare(&self) -> Result<()> {
        let start = Instant::now();
        while let Err(error) = self.sql("bench", "SELECT 1") {
            if start.elapsed() > START {
                return Err(error.context(format!("the database does not answer: {}", self.container.logs())));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        let databases = BUILDS.iter().map(|build| format!("CREATE DATABASE {};", build.name));
        let statements = format!("GRANT ALL ON *.* TO bench@'%'; {}", databases.collect::<String>());
        self.sql("root", &statements).context("the databases cannot be made")
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// As in [`Build`].
    pub name: &'static str,
    /// Its address.
    pub url: String,
    process: u32,
    container: Container,
}

impl Server {
    /// Starts it in the builder's image, which has the engine of the nodes, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready, or runs otherwise than asked for.
    pub fn start(build: &Build, program: &Path, database: &Database) -> Result<Self> {
        let file = if build.name == "native" { "/app" } else { "/app.wasm" };
        let program = program
            .canonicalize()
            .with_context(|| format!("there is no {}", program.display()))?;
        let environment = [
            format!("LISTEN_ADDRESS=127.0.0.1:{}", build.port),
            format!(
                "DATABASE_URL=mysql://bench:bench@127.0.0.1:{}/{}",
                database.port, build.name
            ),
            "LOG=off".to_owned(),
        ];
        let mut arguments = vec![
            "--network=host".to_owned(),
            // Where SELinux confines containers, they may not read files of a home folder.
            "--security-opt=label=disable".to_owned(),
            format!("--volume={}:{file}:ro", program.display()),
        ];
        let run: Vec<String> = if build.name == "native" {
            arguments.extend(environment.map(|variable| format!("--env={variable}")));
            vec![file.to_owned()]
        } else {
            let wasmedge = ["wasmedge".to_owned()].into_iter();
            wasmedge
                .chain(environment.map(|variable| format!("--env={variable}")))
                .chain([file.to_owned()])
                .collect()
        };
        arguments.push("localhost/wasm-builder:trixie".to_owned());
        arguments.extend(run);
        let container = Container::run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        let server = Self {
            name: build.name,
            url: format!("http://127.0.0.1:{}", build.port),
            process: container.process()?,
            container,
        };

        let start = Instant::now();
        let client = http::client(None);
        while !matches!(client.get(format!("{}/readyz", server.url)).call(), Ok(answer) if answer.status() == 200) {
            if start.elapsed() > START {
                bail!("not ready: {}", server.container.logs());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        let health = client
            .get(format!("{}/healthz", server.url))
            .call()?
            .body_mut()
            .read_to_string()?;
        if !health.contains(&format!("\"{}\"", build.name)) {
            bail!("it should run as {}, and says: {health}", build.name);
        }
        Ok(server)
    }

    /// How long a processor has worked in it so far, its system calls included.
    ///
    /// # Errors
    /// When it has ended, or Docker runs elsewhere.
    pub fn processor_time(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.process);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("the {} server has no {path}: {}", self.name, self.container.logs()))?;
        processor_time(&text).with_context(|| format!("{path} is unforeseen: {text}"))
    }

    /// Empties the table and puts the orders in that each load begins with.
    ///
    /// # Errors
    /// When the server refuses them.
    pub fn fill(&self, database: &Database) -> Result<()> {
        database
            .sql("bench", &format!("TRUNCATE TABLE {}.orders", self.name))
            .with_context(|| format!("the table of the {} server cannot be emptied", self.name))?;
        http::client(None)
            .post(format!("{}/create_orders", self.url))
            .header("Content-Type", "application/json")
            .send(wrk::orders())
            .context("the orders to read cannot be written")?;
        Ok(())
    }
}

/// Reads user and system time: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
fn processor_time(text: &str) -> Option<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, fields) = text.rsplit_once(") ")?;
    let ticks = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u32>().ok());
    Some(TICK * ticks.sum::<Option<u32>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_of_a_process() {
        let text = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 120 30 9 9 20 0 2 0 1 1 1";
        assert_eq!(processor_time(text), Some(Duration::from_millis(1_500)));
        assert_eq!(processor_time(""), None);
    }
}
