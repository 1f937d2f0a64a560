//! axe-core finds nothing to complain about, in whatever state the page is.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::orders::{browser_with, button};

/// The checker, as it is in the browser's image.
pub struct Axe {
    source: String,
}

impl Axe {
    pub fn of(browser: &Browser) -> Self {
        Self {
            source: browser.axe_core(),
        }
    }

    #[track_caller]
    pub fn finds_nothing(&self, browser: &Browser, state: &str) {
        browser.run(&format!("if (window.axe === undefined) {{ {} }}", self.source));
        let found = browser.value(
            "axe.run().then(({ passes, violations }) => ({
                checked: passes.length,
                violations: violations.map(({ id, help, nodes }) => [id, help, nodes.map(({ html }) => html)]),
            }))",
        );
        assert_eq!(found["violations"], json!([]), "{state}: {found:#}");
        // A page that is not there has no violations either.
        assert!(found["checked"].as_u64() > Some(15), "{state}: {found:#}");
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn axe_core_finds_no_violation() {
    let browser = browser_with(30);
    let axe = Axe::of(&browser);
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
