//! Pure: which crates are traps by their name, and which by their version or their features besides.

use crate::traps::compiler::number;
use crate::traps::finding::Weight;
use crate::traps::graph::GuestCrate;

/// A trap that a crate is, whatever its features.
pub struct Rule {
    /// Its name.
    pub trap: &'static str,
    /// How bad it is.
    pub weight: Weight,
    /// The crates.
    pub names: &'static [&'static str],
    /// What is wrong with them.
    pub what: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// The traps that are known by names of crates.
pub const RULES: &[Rule] = &[
    Rule {
        trap: "c-code",
        weight: Weight::Compile,
        names: &[
            "openssl",
            "ring",
            "aws-lc-rs",
            "aws-lc-sys",
            "openssl-sys",
            "boring-sys",
            "native-tls",
            "s2n-tls-sys",
        ],
        what: "TLS in C and assembler, and the builder has no C compiler for Wasm",
        fix: "end TLS at an Ingress or in a proxy beside it, and turn off the feature that brings this crate",
    },
    Rule {
        trap: "c-code",
        weight: Weight::Compile,
        names: &["libz-sys", "zstd-sys", "bzip2-sys", "lzma-sys", "lz4-sys", "brotli-sys"],
        what: "compression in C, and the builder has no C compiler for Wasm",
        fix: "flate2 with `default-features = false, features = [\"rust_backend\"]`, or turn off the feature that brings this crate",
    },
    Rule {
        trap: "c-code",
        weight: Weight::Compile,
        names: &[
            "libsqlite3-sys",
            "pq-sys",
            "mysqlclient-sys",
            "rdkafka-sys",
            "librocksdb-sys",
            "curl-sys",
            "libgit2-sys",
            "libssh2-sys",
            "onig_sys",
            "tikv-jemalloc-sys",
            "libmimalloc-sys",
        ],
        what: "a library in C, and the builder has no C compiler for Wasm",
        fix: "a crate in Rust alone; an allocator belongs to the native build: `[target.'cfg(not(target_os = \"wasi\"))']`",
    },
    Rule {
        trap: "threads",
        weight: Weight::Stop,
        names: &[
            "rayon",
            "rayon-core",
            "threadpool",
            "scoped_threadpool",
            "async-std",
            "smol",
        ],
        what: "it starts threads, and a guest has none",
        fix: "tasks of tokio_wasi; more replicas instead of more threads",
    },
    Rule {
        trap: "web-framework",
        weight: Weight::Compile,
        names: &[
            "axum",
            "actix-web",
            "actix-rt",
            "rocket",
            "warp",
            "tonic",
            "poem",
            "salvo",
            "tide",
            "gotham",
            "hyper-util",
        ],
        what: "it brings sockets of its own, which a guest does not have",
        fix: "hyper_wasi, the API of hyper 0.14, with the handlers as functions of the request: `deploy-tool new` makes an example",
    },
    Rule {
        trap: "socket2",
        weight: Weight::Compile,
        names: &["socket2"],
        what: "it has no sockets for this target",
        fix: "tokio_wasi and hyper_wasi in place of the crate that brings it",
    },
    Rule {
        trap: "database",
        weight: Weight::Compile,
        names: &[
            "sqlx",
            "sqlx-core",
            "diesel",
            "sea-orm",
            "tokio-postgres",
            "postgres",
            "mysql",
            "redis",
            "mongodb",
            "rusqlite",
        ],
        what: "a database driver with sockets or C code of its own",
        fix: "mysql_async_wasi for what speaks MySQL's protocol; other databases behind a service of their own",
    },
    Rule {
        trap: "http-client",
        weight: Weight::Compile,
        names: &["reqwest", "isahc", "surf", "awc"],
        what: "an HTTP client with sockets of its own, or of a browser",
        fix: "the client of hyper_wasi, `hyper::Client`; TLS by a proxy",
    },
    Rule {
        trap: "std-net",
        weight: Weight::Stop,
        names: &["ureq", "minreq", "attohttpc"],
        what: "an HTTP client on the standard library's sockets, which a guest does not have",
        fix: "the client of hyper_wasi, `hyper::Client`",
    },
    Rule {
        trap: "tls-plugin",
        weight: Weight::Stop,
        names: &["wasmedge_rustls_api"],
        what: "TLS by a plugin of WasmEdge, which crun does not load",
        fix: "turn off the feature that brings it; TLS by a proxy or an Ingress",
    },
    Rule {
        trap: "browser",
        weight: Weight::Stop,
        names: &["wasm-bindgen", "js-sys", "web-sys", "wasm-bindgen-futures"],
        what: "it imports functions of a browser, which no engine offers here",
        fix: "turn off the feature that brings it, often `js`, `wasm-bindgen` or `wasmbind`",
    },
    Rule {
        trap: "other-platform",
        weight: Weight::Stop,
        names: &[
            "spin-sdk",
            "wstd",
            "wit-bindgen-rt",
            "worker",
            "wasmcloud-component",
            "lambda_runtime",
        ],
        what: "it makes a module for another platform",
        fix: "a program with a `main` that listens: `deploy-tool new` makes an example",
    },
];

/// A trap that a crate is under a condition.
pub struct Condition {
    /// The crate.
    pub name: &'static str,
    /// Whether it is one.
    pub is_met: fn(&GuestCrate) -> bool,
    /// The trap's name.
    pub trap: &'static str,
    /// How bad it is.
    pub weight: Weight,
    /// What is wrong with the crate.
    pub what: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// The oldest mio_wasi that does not spin.
const MIO_WASI: (u32, u32, u32) = (0, 8, 9);

/// The traps that are known by versions and features. Of a crate the first counts.
pub const CONDITIONS: &[Condition] = &[
    Condition {
        name: "tokio_wasi",
        is_met: |one| one.is_own() && !one.features_among(&["full", "rt-multi-thread"]).is_empty(),
        trap: "threads",
        weight: Weight::Wrong,
        what: "its features full and rt-multi-thread compile, and a runtime that uses them ends at its start",
        fix: "name what is used: features = [\"io-util\", \"macros\", \"net\", \"rt\", \"sync\", \"time\"]",
    },
    Condition {
        name: "hyper",
        is_met: |one| one.version.starts_with("0."),
        trap: "hyper",
        weight: Weight::Compile,
        what: "its sockets are tokio's, which have no form for this target",
        fix: "hyper_wasi for Wasm, the same API; hyper stays for the native build",
    },
    Condition {
        name: "hyper",
        is_met: GuestCrate::is_own,
        trap: "web-framework",
        weight: Weight::Compile,
        what: "hyper_wasi has the API of hyper 0.14: another server, other bodies, http 0.2",
        fix: "hyper 0.14 and hyper_wasi: handlers stay, the server and the bodies change",
    },
    Condition {
        name: "mysql_async",
        is_met: |_| true,
        trap: "database",
        weight: Weight::Compile,
        what: "its sockets are tokio's, which have no form for this target",
        fix: "mysql_async_wasi 0.31 for Wasm; mysql_async stays for the native build",
    },
    Condition {
        name: "mio_wasi",
        is_met: |one| number(&one.version) < MIO_WASI,
        trap: "mio",
        weight: Weight::Wrong,
        what: "it uses a whole processor, and connecting stops the guest",
        fix: "cargo update -p mio_wasi",
    },
];
