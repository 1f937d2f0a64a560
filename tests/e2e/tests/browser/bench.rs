//! The page of the committed benchmark, in whatever light and on whatever screen.

use e2e::browser::{Axe, Browser};
use e2e::repository;
use serde_json::json;

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_page_of_the_benchmark_is_for_everybody_and_asks_nobody() {
    let page = std::fs::read(repository().join("docs/bench.html")).unwrap();
    let browser = Browser::start();
    browser.open_document(&page);
    let axe = Axe::new(&browser);
    for (width, is_phone) in [(1280, false), (360, true)] {
        browser.resize(width, 800, is_phone);
        for scheme in ["light", "dark"] {
            browser.prefer("prefers-color-scheme", scheme);
            axe.finds_nothing(&browser, &format!("the benchmark, {scheme}, {width} wide"));
            browser.screenshot(&format!("bench-{scheme}-{width}"));
        }
        let wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(browser.value(wider), json!(false), "{width} wide");
    }
    let asked = browser
        .value("performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('data:')).length");
    assert_eq!(asked, json!(0));
    let charts = browser.value("document.querySelectorAll('figure svg[role=img]').length");
    assert!(charts.as_u64() > Some(30), "{charts}");
}
