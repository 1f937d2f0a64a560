//! axe-core finds nothing to complain about, in whatever state the page is.

use e2e::browser::Axe;
use serde_json::Value;

use crate::orders::{browser_with, button};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn axe_core_finds_no_violation() {
    let browser = browser_with(30);
    let axe = Axe::new(&browser);
    // What fades in has too little contrast until it is there.
    browser.prefer("prefers-reduced-motion", "reduce");
    for (width, is_phone) in [(1280, false), (360, true)] {
        browser.resize(width, 800, is_phone);
        for scheme in ["light", "dark"] {
            browser.prefer("prefers-color-scheme", scheme);
            let check = |state: &str| axe.finds_nothing(&browser, &format!("{state}, {scheme}, {width} wide"));
            check("the list");

            browser.click(&button("Delete", 2));
            browser.await_text("#notice", "is deleted");
            check("a notice with Undo");
            browser.click("#undo");
            browser.await_text("#notice", "is back");

            browser.click("#add");
            check("the editor");
            browser.click("#save");
            browser.await_text("#tax-error", "Tax is missing.");
            check("the editor with errors");
            browser.click("#cancel");
        }
    }
    browser.open("/?after=nobody");
    browser.await_text("#banner", "The orders cannot be shown: an order id is a whole number.");
    axe.finds_nothing(&browser, "the banner");
    assert_eq!(
        browser.value("document.querySelectorAll('#rows tr').length"),
        Value::from(0)
    );
}
