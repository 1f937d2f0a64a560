//! Pure: the traps that the sources of a package show.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::finding::{Finding, Location, Remedy, Weight};
use super::walk::SourceFile;

/// A trap that the use of a path is.
struct Rule {
    trap: &'static str,
    weight: Weight,
    remedy: Remedy,
    /// The beginnings of paths, whole names.
    paths: &'static [&'static str],
    what: &'static str,
    fix: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        trap: "threads",
        weight: Weight::Stop,
        remedy: Remedy::Redesign,
        paths: &["std::thread::spawn", "std::thread::scope", "std::thread::Builder"],
        what: "a guest has no threads: this fails when it is called",
        fix: "a task: `tokio::spawn`; work that takes long gives way with `tokio::task::yield_now().await`",
    },
    Rule {
        trap: "threads",
        weight: Weight::Stop,
        remedy: Remedy::Line,
        paths: &[
            "tokio::runtime::Runtime::new",
            "tokio::runtime::Builder::new_multi_thread",
        ],
        what: "this runtime starts threads, and a guest has none: it ends at its start",
        fix: "`tokio::runtime::Builder::new_current_thread()`",
    },
    Rule {
        trap: "blocking",
        weight: Weight::Stop,
        remedy: Remedy::Redesign,
        paths: &[
            "tokio::task::spawn_blocking",
            "tokio::task::block_in_place",
            "tokio::fs",
        ],
        what: "it compiles, and panics when it is called: it needs a second thread",
        fix: "call what blocks directly, where it is short: `std::fs` reads a file of the image",
    },
    Rule {
        trap: "native-only",
        weight: Weight::Compile,
        remedy: Remedy::Line,
        paths: &[
            "tokio::signal",
            "tokio::process",
            "tokio::net::UdpSocket",
            "tokio::net::UnixStream",
            "tokio::net::UnixListener",
            "tokio::net::UnixDatagram",
        ],
        what: "tokio_wasi does not have it",
        fix: "keep it for the native build: `#[cfg(not(target_os = \"wasi\"))]`; a pod ends by preStop, without a signal",
    },
    Rule {
        trap: "std-net",
        weight: Weight::Stop,
        remedy: Remedy::Redesign,
        paths: &[
            "std::net::TcpStream",
            "std::net::TcpListener",
            "std::net::UdpSocket",
            "std::net::ToSocketAddrs",
        ],
        what: "the standard library has no sockets in a guest: this fails when it is called",
        fix: "`tokio::net`, by tokio_wasi",
    },
    Rule {
        trap: "processes",
        weight: Weight::Stop,
        remedy: Remedy::Redesign,
        paths: &["std::process::Command"],
        what: "a guest starts no other programs: this fails when it is called",
        fix: "a second container in the pod, or a library",
    },
    Rule {
        trap: "panics",
        weight: Weight::Stop,
        remedy: Remedy::Redesign,
        paths: &["std::panic::catch_unwind"],
        what: "a panic ends the guest for every client: nothing is caught",
        fix: "return errors",
    },
    Rule {
        trap: "panics",
        weight: Weight::Wrong,
        remedy: Remedy::Line,
        paths: &["hyper::Server::bind", "hyper::server::Server::bind"],
        what: "a port that is taken is a panic",
        fix: "`Server::try_bind`, which returns an error",
    },
];

/// Where an HTTP server of hyper begins.
const SERVERS: [&str; 8] = [
    "hyper::Server::bind",
    "hyper::Server::try_bind",
    "hyper::Server::builder",
    "hyper::server::Server::bind",
    "hyper::server::Server::try_bind",
    "hyper::server::Server::builder",
    "hyper::server::conn::Http::new",
    "hyper::server::conn::http1::Builder::new",
];
/// What makes hyper write head and body as one.
const IN_ONE: [&str; 2] = ["http1_writev", "writev"];

/// The traps that the files of a package show.
pub fn check_sources(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(check_file).collect();
    let writes_in_one = files
        .iter()
        .any(|file| IN_ONE.iter().any(|name| file.uses.names.contains(*name)));
    let mut servers = files.iter().flat_map(|file| {
        let found = file
            .uses
            .paths
            .iter()
            .filter(|(path, _)| SERVERS.contains(&path.as_str()));
        found.map(|(_, line)| location(&file.path, *line))
    });
    if let Some(location) = servers.next().filter(|_| !writes_in_one) {
        findings.push(Finding {
            trap: "two-packets",
            weight: Weight::Wrong,
            remedy: Remedy::Line,
            location,
            what: "head and body leave in two packets that wait for each other: 44 ms for each answer of a kept connection"
                .to_owned(),
            fix: "`.http1_writev(false)` on the server's builder".to_owned(),
        });
    }
    findings
}

fn location(path: &std::path::Path, line: usize) -> Location {
    Location::File {
        path: path.to_owned(),
        line,
    }
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    // Many lines of one kind are one finding.
    let mut lines: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    for (path, line) in &file.uses.paths {
        for (number, rule) in RULES.iter().enumerate() {
            let begins = |start: &&&str| {
                let rest = path.strip_prefix(**start);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            if let Some(start) = rule.paths.iter().find(begins) {
                lines.entry((number, (*start).to_owned())).or_default().push(*line);
            }
        }
    }
    let found = lines.into_iter().map(|((number, path), mut lines)| {
        lines.sort_unstable();
        lines.dedup();
        let rule = &RULES[number];
        let more = match lines.len() {
            1 => String::new(),
            count => format!(" (and {} more lines of this file)", count - 1),
        };
        Finding {
            trap: rule.trap,
            weight: rule.weight,
            remedy: rule.remedy,
            location: location(&file.path, lines[0]),
            what: format!("`{path}`{more}: {}", rule.what),
            fix: rule.fix.to_owned(),
        }
    });
    let attributes = file.uses.attributes.iter().filter(|(text, _)| {
        let is_main = text == "tokio::main" || text.starts_with("tokio::main(");
        is_main && !text.contains("\"current_thread\"")
    });
    let attributes = attributes.map(|(_, line)| Finding {
        trap: "threads",
        weight: Weight::Stop,
        remedy: Remedy::Line,
        location: location(&file.path, *line),
        what: "`#[tokio::main]` starts threads, and a guest has none".to_owned(),
        fix: "`#[tokio::main(flavor = \"current_thread\")]`".to_owned(),
    });
    let local = file.uses.literals.iter().filter(|(text, _)| is_loopback(text));
    let local = local.map(|(text, line)| Finding {
        trap: "loopback",
        weight: Weight::Wrong,
        remedy: Remedy::Line,
        location: location(&file.path, *line),
        what: format!("{text}: an address that only the pod itself reaches, where the service listens there"),
        fix: "listen at 0.0.0.0".to_owned(),
    });
    found.chain(attributes).chain(local).collect()
}

/// An address with a port, or one in numbers: a database's URL is none.
fn is_loopback(literal: &str) -> bool {
    let text = literal.trim_matches('"');
    let has_port = |host: &str| {
        let port = text.strip_prefix(host).and_then(|rest| rest.strip_prefix(':'));
        port.is_some_and(|port| port.parse::<u16>().is_ok())
    };
    literal == "[127,0,0,1]" || ["127.0.0.1", "localhost", "[::1]"].into_iter().any(has_port)
}

/// A port of an address in a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// Whether the address is that of any interface, where only a server is. Another one may be that of what is asked.
    pub is_of_server: bool,
}

/// The ports that a package seems to listen on, the likeliest first: behind an address of any interface, then behind another.
pub fn ports(files: &[SourceFile]) -> Vec<Port> {
    let mut found: Vec<Port> = files.iter().flat_map(|file| ports_of(&file.uses.literals)).collect();
    found.sort_by_key(|port| !port.is_of_server);
    let mut numbers = BTreeSet::new();
    found.retain(|port| numbers.insert(port.number));
    found
}

/// The ports of a file, in the order of their lines.
fn ports_of(literals: &[(String, usize)]) -> impl Iterator<Item = Port> {
    literals.iter().enumerate().filter_map(|(index, (text, line))| {
        let written = text
            .trim_matches('"')
            .rsplit_once(':')
            .filter(|(host, _)| host.parse::<Ipv4Addr>().is_ok() || *host == "[::]" || *host == "localhost")
            .and_then(|(host, port)| {
                Some(Port {
                    number: port.parse().ok()?,
                    is_of_server: ["0.0.0.0", "[::]"].contains(&host),
                })
            });
        // The numbers inside of a list are literals as well.
        let behind = || {
            let (port, _) = literals.get(index + 5).filter(|(_, at)| at == line)?;
            Some(Port {
                number: port.parse().ok()?,
                is_of_server: text == "[0,0,0,0]",
            })
        };
        let is_list = text.starts_with('[') && text.matches(',').count() == 3;
        written.or_else(|| is_list.then(behind).flatten())
    })
}

/// The routes that are written as they are in some files.
pub fn routes(files: &[SourceFile]) -> Vec<String> {
    let literals = files.iter().flat_map(|file| &file.uses.literals);
    let routes = literals.filter_map(|(text, _)| text.strip_prefix('"')?.strip_suffix('"'));
    routes.filter(|text| text.starts_with('/')).map(str::to_owned).collect()
}

/// The names in capitals that are written in some files: most are environment variables.
pub fn variables(files: &[SourceFile]) -> Vec<String> {
    let is_name = |text: &&str| {
        let of_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        text.len() > 2 && text.bytes().all(of_name) && text.contains('_')
    };
    let literals = files.iter().flat_map(|file| &file.uses.literals);
    let texts = literals.filter_map(|(text, _)| text.strip_prefix('"')?.strip_suffix('"'));
    let mut names: Vec<String> = texts.filter(is_name).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests;
