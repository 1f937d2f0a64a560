//! axe-core, which finds what keeps people from using a page.

use serde_json::json;

use super::Browser;

/// The checker, as it is in the browser's image.
pub struct Axe {
    source: String,
}

impl Axe {
    /// That of this browser.
    pub fn new(browser: &Browser) -> Self {
        Self {
            source: browser.axe_core(),
        }
    }

    /// It has nothing to complain about in this state of the page.
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
