//! TLS to a real MariaDB: connections are encrypted, an invalid certificate is rejected with a reason, and nothing is
//! sent unencrypted if TLS is required.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use service_tests::certificates::Certificates;
use service_tests::database::Database;
use service_tests::native_process::NativeProcess;
use service_tests::{await_that, eventually};
use support::ORDERS;

/// Starts the service with this `DATABASE_TLS`, the CA file, and a host name of the certificate.
fn start(url: &str, mode: &str, authority: &str) -> NativeProcess {
    let url = url.replace("127.0.0.1", "localhost");
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("DATABASE_TLS", mode),
        ("DATABASE_CA", authority),
    ];
    NativeProcess::start(&ORDERS, &variables)
}

/// The number of completed TLS handshakes of the server.
fn handshakes(database: &Database) -> u64 {
    let output = database
        .administer("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")
        .unwrap();
    output.split_whitespace().last().unwrap().parse().unwrap()
}

/// Waits until the log contains this reason, and checks the response of `/readyz`.
fn refuses(native: &NativeProcess, reason: &str, message: &str) {
    let line = eventually(reason, || native.log().into_iter().find(|line| line.contains(reason)));
    assert!(line.contains("next attempt in"), "{line}");
    let answer = native.get("/readyz");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains(message), "{answer:?}");
}

#[test]
fn connections_are_encrypted_and_certificates_checked() {
    let certificates = Certificates::make();
    certificates.show("good");
    let Some(database) = Database::start_encrypted("tls", &certificates) else {
        return;
    };
    database.administer("SET GLOBAL require_secure_transport = ON").unwrap();
    let (url, authority) = (database.url("orders"), certificates.path("ca.crt"));

    for mode in ["required", "preferred"] {
        let before = handshakes(&database);
        let native = start(&url, mode, &authority);
        native.await_ready();
        assert!(handshakes(&database) > before);
        // A large response has more than one TLS record.
        let orders: Vec<String> = (1..=1_000).map(order).collect();
        let many =
            service_tests::http::Request::new("POST", "/create_orders").with_body(&format!("[{}]", orders.join(",")));
        let answer = native.send(&many);
        assert_eq!(
            answer.status,
            if mode == "required" { 200 } else { 409 },
            "{}",
            answer.body
        );
        let listed = native.get("/orders");
        assert_eq!(listed.body.matches("order_id").count(), 1_000, "{}", listed.body.len());
    }

    let plain = start(&url, "off", "");
    refuses(
        &plain,
        "this server takes encrypted connections alone: set DATABASE_TLS=required and DATABASE_CA",
        "encrypted connections alone",
    );
    drop(plain);

    for (shown, reason) in [
        ("expired", "its certificate has expired"),
        (
            "other",
            "its certificate is for another server: set DATABASE_HOST to a name",
        ),
        ("self", "its certificate signs itself"),
        ("unknown", "no authority of DATABASE_CA has signed its certificate"),
    ] {
        certificates.show(shown);
        database.reload_certificate();
        for mode in ["required", "preferred"] {
            refuses(&start(&url, mode, &authority), reason, "certificate is refused");
        }
    }

    // A repaired server and a renewed CA file are detected without a restart.
    let native = start(&url, "required", &authority);
    refuses(&native, "no authority of DATABASE_CA", "certificate is refused");
    std::fs::copy(certificates.path("stranger.crt"), &authority).unwrap();
    native.await_ready();
    // By the IP address, which is in the certificate as well.
    let by_address = [
        ("DATABASE_URL", url.as_str()),
        ("DATABASE_TLS", "required"),
        ("DATABASE_CA", &authority),
    ];
    NativeProcess::start(&ORDERS, &by_address).await_ready();
}

#[test]
fn a_server_without_tls_is_used_only_where_that_is_allowed() {
    let certificates = Certificates::make();
    let Some(database) = Database::start_without_tls("tls_absent") else {
        return;
    };
    let (url, authority) = (database.url("orders"), certificates.path("ca.crt"));
    refuses(
        &start(&url, "required", &authority),
        "it offers no TLS, and DATABASE_TLS is `required`",
        "the database offers no TLS",
    );
    let native = start(&url, "preferred", &authority);
    native.await_ready();
    await_that("the log says that it is not encrypted", || {
        native.log().iter().any(|line| line.contains("is not encrypted"))
    });
    assert_eq!(handshakes(&database), 0);
}

fn order(id: i32) -> String {
    let address = "a street that is long enough to fill records of TLS, which have sixteen kibibytes each";
    format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":0,"tax":0,"shipping_address":"{address}"}}"#
    )
}
