//! The database goes away and comes back while somebody works.

use e2e::{eventually, kubectl, pods, reachable};

use crate::orders::{browser_with, fill_in, order, stored};

/// The database is away as long as this lives.
struct Outage;

impl Outage {
    fn begin() -> Self {
        scale_database(0);
        eventually("the database's pod is gone", || {
            pods("orders", "app=mariadb").is_empty().then_some(())
        });
        Self
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        scale_database(1);
        forget_pods_that_are_not_ready(true);
    }
}

fn scale_database(replicas: u8) {
    let replicas = format!("--replicas={replicas}");
    kubectl(&["--namespace", "orders", "scale", "statefulset/mariadb", &replicas]).success();
}

/// Whether the Service forgets a pod that is not ready, as it should, or lets its answers through.
fn forget_pods_that_are_not_ready(forget: bool) {
    let patch = format!(r#"{{"spec":{{"publishNotReadyAddresses":{}}}}}"#, !forget);
    kubectl(&[
        "--namespace",
        "orders",
        "patch",
        "service/app",
        "--type=merge",
        "--patch",
        &patch,
    ])
    .success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_page_says_that_the_database_is_away_keeps_what_was_typed_and_recovers_by_itself() {
    let browser = browser_with(1);
    browser.click("#add");
    fill_in(&browser, 2);

    // What the service itself says, 503, is otherwise seen only in the seconds until its Service forgets it.
    forget_pods_that_are_not_ready(false);
    let outage = Outage::begin();
    browser.await_text("#banner", "The database is away.");
    browser.screenshot("database-away");
    browser.click("#save");
    browser.await_text("#form-error", "What you typed is kept.");

    forget_pods_that_are_not_ready(true);
    browser.await_text("#banner", "The service cannot be reached.");
    assert!(
        browser
            .text("#rows")
            .contains(order(1)["shipping_address"].as_str().unwrap()),
        "the list is still shown"
    );

    drop(outage);
    reachable();
    browser.await_that("document.querySelector('#banner').hidden");
    browser.await_text("#form-error", "The service is back: save again.");
    browser.click("#save");
    browser.await_text("#notice", "is added");
    assert_eq!(stored(2), (200, order(2)), "every field was kept");
}
