//! docs/roads/clients.md: each client under `wasmedge`, against real servers.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use e2e::{CommandOutput, Running, eventually, repository, script};
use service_tests::certificates::Certificates;
use service_tests::database::Database;

use crate::page;

const BUILDER: &str = "localhost/wasm-builder:trixie";

/// What the servers of the page answer.
const BODY: &str = "hello";

/// Compiles them once, and says where they are.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let compile = || {
        let output = CommandOutput::from(script("scripts/clients").output().unwrap()).success();
        PathBuf::from(output.stderr.lines().last().unwrap())
    };
    FOLDER.get_or_init(compile).clone()
}

/// `wasmedge` of the builder's image on this host's network, in the folder of the clients.
fn wasmedge(folder: &Path, certificates: &Path) -> Vec<String> {
    let volume = |from: &Path, to: &str| format!("--volume={}:{to}:ro", from.display());
    let fixed = [
        "docker",
        "run",
        "--rm",
        "--interactive",
        "--init",
        "--pull=never",
        "--network=host",
        "--security-opt=label=disable",
    ];
    let mut words: Vec<String> = fixed.iter().map(ToString::to_string).collect();
    words.push(volume(folder, "/clients"));
    words.push(volume(certificates, "/tls"));
    words.push(volume(&repository().join("oci/services"), "/etc/services"));
    words.extend(["--workdir=/clients", BUILDER, "wasmedge"].map(str::to_owned));
    words
}

/// An HTTP server of a port that the system picks; it goes with the process.
fn http() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let length = BODY.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{BODY}"
            );
        }
    });
    port
}

/// Servers that send back what they get, of TCP and of UDP.
fn echo() -> (u16, u16) {
    let (listener, socket) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        UdpSocket::bind("127.0.0.1:0").unwrap(),
    );
    let ports = (
        listener.local_addr().unwrap().port(),
        socket.local_addr().unwrap().port(),
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut bytes) = (stream.unwrap(), Vec::new());
            stream.read_to_end(&mut bytes).unwrap();
            stream.write_all(&bytes).unwrap();
        }
    });
    std::thread::spawn(move || {
        let mut bytes = [0; 1024];
        while let Ok((size, from)) = socket.recv_from(&mut bytes) {
            socket.send_to(&bytes[..size], from).unwrap();
        }
    });
    ports
}

/// An HTTPS server that shows one of the certificates.
fn serve(certificates: &Certificates, name: &str) -> Server {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    std::fs::write(certificates.path("answer"), answer).unwrap();
    let child = Command::new("openssl")
        .args(["s_server", "-quiet", "-HTTP", "-accept", &port.to_string()])
        .args(["-cert", &format!("{name}.crt"), "-key", &format!("{name}.key")])
        .current_dir(certificates.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { child, port };
    eventually("the server listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    server
}

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs Docker and the images of `scripts/images run`"]
fn every_command_of_the_page_does_what_it_says() {
    let (folder, certificates) = (folder(), Certificates::make());
    let database = Database::start("clients").expect("MariaDB");
    let ((tcp, udp), http, https) = (echo(), http(), serve(&certificates, "good"));
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let prefix = wasmedge(&folder, certificates.folder()).join(" ");
    let mut server = None;
    for command in page::commands("clients.md").iter().skip(1) {
        let line = command
            .line
            .replace("wasmedge ", &format!("{prefix} "))
            .replace("curl ", "curl --silent --show-error ")
            .replace("localhost:18080/", &format!("localhost:{http}/"))
            .replace("localhost:18443/", &format!("localhost:{}/answer", https.port))
            .replace("localhost:18007", &format!("localhost:{tcp}"))
            .replace("127.0.0.1:18007", &format!("127.0.0.1:{udp}"))
            .replace("127.0.0.1:18081", &listen.to_string())
            .replace("mysql://orders:secret@127.0.0.1:3306/orders", &database.url("orders"));
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {line}").replace("exec echo hello", "echo hello")]);
        let printed: Vec<String> = command
            .printed
            .iter()
            .map(|line| line.replace("127.0.0.1:18081", &listen.to_string()))
            .collect();
        if line.contains("echo_server") {
            let running = Running::start(shell);
            running.line("it listens", |line| line == printed[0]);
            server = Some(running);
            continue;
        }
        let output = CommandOutput::from(shell.output().unwrap()).success();
        let lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        assert!(page::prints(&printed, &lines), "{line}: {}", output.stdout);
    }
    server.expect("the page has a server").interrupt();
}

#[test]
#[ignore = "needs Docker and the images of `scripts/images run`"]
fn what_cannot_work_is_told_in_one_sentence() {
    let (folder, certificates) = (folder(), Certificates::make());
    let prefix = wasmedge(&folder, certificates.folder());
    let run = |arguments: &[&str]| {
        let output = Command::new(&prefix[0])
            .args(&prefix[1..])
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        CommandOutput::from(output.unwrap())
    };
    for (certificate, why) in [
        ("self", "invalid peer certificate"),
        ("other", "certificate not valid for name \"localhost\""),
        ("expired", "certificate: Expired"),
    ] {
        let server = serve(&certificates, certificate);
        let url = format!("https://localhost:{}/answer", server.port);
        let options = ["--dir", "/tls:/tls", "--env", "CA_FILE=/tls/ca.crt", "https.wasm"];
        run(&[&options[..], &[&url]].concat()).failure(1, &["error: ", why]);
    }
    // The server's own authority is not among those that are believed.
    let server = serve(&certificates, "good");
    let url = format!("https://localhost:{}/answer", server.port);
    run(&[
        "--dir",
        "/tls:/tls",
        "--env",
        "CA_FILE=/tls/self.crt",
        "https.wasm",
        &url,
    ])
    .failure(1, &["UnknownIssuer"]);
    run(&["--env", "CA_FILE=/tls/ca.crt", "https.wasm", &url]).failure(1, &["/tls/ca.crt: "]);
    run(&["https.wasm", &url]).failure(1, &["CA_FILE names no file"]);

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{nobody}/");
    for client in ["http_hyper.wasm", "http_reqwest.wasm", "http_req.wasm"] {
        run(&[client, &url]).failure(1, &["error: "]);
        run(&[client]).failure(1, &["name a URL as the first argument"]);
    }
    run(&["mysql.wasm", &format!("mysql://a:b@127.0.0.1:{nobody}/c")]).failure(1, &["error: "]);
    run(&["echo_server.wasm", "1.2.3.4:80"]).failure(1, &["error: "]);
    // Nobody answers: it does not wait for ever.
    run(&["udp.wasm", &format!("127.0.0.1:{nobody}")]).failure(1, &["error: "]);
    run(&["tcp.wasm", "localhost"]).failure(1, &["name HOST:PORT"]);
}
