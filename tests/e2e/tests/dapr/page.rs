//! The page, in a real Chromium: a person sees how an order is priced, stored and announced, and what carried it.

use e2e::browser::{Axe, Browser};
use serde_json::{Value, json};
use service_tests::case::unused_ids;

use crate::demo::{Diagnosis, StateAway, address_of, namespace, scale, send, unpriced, whole};
use crate::harness::{eventually, pinned, pods};

/// Types an order without shipping and tax into the editor.
fn fill_in(browser: &Browser, order: &Value) {
    for (field, value) in order.as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        browser.fill(&format!("#{field}"), &text);
    }
}

/// The name of the pod that runs a service now.
fn pod_of(app: &str) -> String {
    let pods = pods(namespace(), &format!("app={app}"));
    pods[0]["metadata"]["name"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn a_person_sees_the_way_of_an_order_and_what_carried_it() {
    let _diagnosis = Diagnosis;
    whole();
    let id = unused_ids();
    let browser = Browser::start();
    let axe = Axe::new(&browser);
    // What fades in has too little contrast until it is there.
    browser.prefer("prefers-reduced-motion", "reduce");
    browser.visit(&format!("http://{}/?after={}", address_of("page"), id - 1));
    let version = pinned("dapr_version");
    browser.await_text("#path-sidecar", &format!("Sidecar orders, Dapr {version}: "));
    browser.await_text("#path-sidecar", "pubsub is pubsub.jetstream");
    browser.await_text("#path-steps", "Save an order without shipping and tax to see it.");
    axe.finds_nothing(&browser, "the list");

    // The rules are away: the editor says so, and nothing that was typed is lost.
    browser.click("#add");
    browser.await_text("#shipping-hint", "Left empty, it is computed by the pricing service.");
    browser.await_text("#tax-hint", "Left empty, it is computed by the pricing service.");
    fill_in(&browser, &unpriced(id));
    let away = StateAway::begin();
    browser.click("#save");
    browser.await_text("#form-error", "The pricing service ");
    browser.await_text(
        "#form-error",
        "; nothing was stored: try again, or give shipping and tax.",
    );
    axe.finds_nothing(&browser, "the editor with an error");
    browser.screenshot("dapr-no-price");
    drop(away);
    browser.click("#save");
    browser.await_text("#notice", &format!("Order {id} is added."));

    let steps = [
        "Sent: to orders. Carried by the sidecars of page and orders.".to_owned(),
        format!(
            "Priced: shipping 12.00, tax 14.28, by {} with the rules of argentina. Carried by the sidecars of orders and pricing.",
            pod_of("pricing")
        ),
        format!(
            "Stored: order {id} by {}. Without a sidecar: straight into MariaDB.",
            pod_of("orders")
        ),
    ];
    for step in &steps {
        browser.await_text("#path-steps", step);
    }
    browser.await_text("#path-steps", "Announced: order.created, event ");
    let carried = "Carried by the sidecars of orders and events, topic orders of pubsub (pubsub.jetstream).";
    browser.await_text("#path-steps", carried);
    browser.await_text("#event-list", &format!("Order {id} created"));
    assert_eq!(
        browser.value("document.querySelectorAll('#path-steps li').length"),
        json!(4)
    );
    for (width, is_phone) in [(1280, false), (360, true)] {
        browser.resize(width, 900, is_phone);
        for scheme in ["light", "dark"] {
            browser.prefer("prefers-color-scheme", scheme);
            axe.finds_nothing(&browser, &format!("the way of an order, {scheme}, {width} wide"));
            browser.screenshot(&format!("dapr-{width}-{scheme}"));
        }
        let sizes = browser.value("[innerWidth, document.documentElement.scrollWidth]");
        assert_eq!(sizes[0], sizes[1], "something is wider than the screen");
    }
    browser.resize(1280, 900, false);

    // A change has an event of its own, and what is given is not computed.
    browser.click(&format!("[data-action='Edit {id}']"));
    browser.fill("#quantity", "3");
    browser.click("#save");
    browser.await_text("#notice", &format!("Order {id} is changed."));
    browser.await_text("#path-steps", "Not priced: shipping and tax were given.");
    browser.await_text("#path-steps", "Announced: order.updated, event ");
    browser.await_text("#path-steps", carried);

    browser.click(&format!("[data-action='Delete {id}']"));
    browser.await_text("#event-list", &format!("Order {id} deleted"));
    eventually("the order is gone", || {
        (send("GET", &format!("/orders/{id}"), None).0 == 404).then_some(())
    });
}

/// The page is there without the service behind it, and goes on by itself.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn the_page_says_that_the_service_is_away_and_goes_on_once_it_is_back() {
    let _diagnosis = Diagnosis;
    whole();
    let browser = Browser::start();
    browser.visit(&format!("http://{}/", address_of("page")));
    browser.await_text("#served-by", "Answered by orders-");
    scale("orders", 0);
    browser.await_text(
        "#banner",
        "The service cannot be reached. What you type is kept, and this page tries again by itself.",
    );
    scale("orders", 1);
    browser.await_that("document.querySelector('#banner').hidden");
    whole();
}
