//! A phone, darkness, and people whom movement makes ill; with the pictures that CI keeps.

use e2e::browser::Browser;
use serde_json::json;

use crate::orders::{browser_with, button};

#[track_caller]
fn nothing_is_wider_than_the_screen(browser: &Browser) {
    assert_eq!(
        browser.value("[innerWidth, document.documentElement.scrollWidth]"),
        json!([360, 360])
    );
    let beyond = "[...document.querySelectorAll('main *, dialog[open] *, #notice *')]
        .filter((element) => element.checkVisibility() && !element.closest('thead'))
        .filter((element) => { const { left, right } = element.getBoundingClientRect(); return left < 0 || right > 360; })
        .map((element) => element.outerHTML)";
    assert_eq!(browser.value(beyond), json!([]));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn on_a_phone_in_the_dark_each_order_is_a_card_and_nothing_scrolls_sideways() {
    let browser = browser_with(12);
    browser.resize(360, 740, true);
    browser.prefer("prefers-color-scheme", "dark");
    // No picture of something half there.
    browser.prefer("prefers-reduced-motion", "reduce");
    let light =
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every((part) => part > 200)";
    assert_eq!(browser.value(light), json!(false));
    nothing_is_wider_than_the_screen(&browser);
    // Under each other, not in columns of a table.
    browser.await_that(
        "new Set([...document.querySelectorAll('#rows tr')].map((row) => row.getBoundingClientRect().left)).size === 1",
    );
    browser.screenshot("phone-dark");

    browser.click(&button("Delete", 3));
    browser.await_text("#notice", "is deleted");
    nothing_is_wider_than_the_screen(&browser);
    browser.screenshot("phone-dark-undo");
    browser.click("#undo");
    browser.await_text("#notice", "is back");

    browser.click("#add");
    browser.fill("#shipping_address", &"W".repeat(256));
    browser.click("#save");
    browser.await_text("#tax-error", "Tax is missing.");
    nothing_is_wider_than_the_screen(&browser);
    browser.screenshot("phone-dark-errors");

    // The longest values there are.
    for (field, text) in [
        ("#order_id", "2147483647"),
        ("#product_id", "2147483647"),
        ("#quantity", "2147483647"),
    ] {
        browser.fill(field, text);
    }
    for field in ["#amount", "#shipping", "#tax"] {
        browser.fill(field, "9999999999.99");
    }
    browser.click("#save");
    browser.await_text("#rows tr:last-child", "WWW");
    nothing_is_wider_than_the_screen(&browser);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn on_a_desktop_by_day_the_numbers_stand_in_columns() {
    let browser = browser_with(40);
    browser.resize(1280, 900, false);
    let light =
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every((part) => part > 200)";
    assert_eq!(browser.value(light), json!(true));
    let right_edges = "new Set([...document.querySelectorAll('#rows td:nth-child(4)')].map((cell) => cell.getBoundingClientRect().right)).size";
    assert_eq!(browser.value(right_edges), json!(1));
    assert_eq!(
        browser.value("getComputedStyle(document.querySelector('#rows td:nth-child(4)')).textAlign"),
        json!("end")
    );
    browser.screenshot("desktop-light");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn nothing_moves_for_people_who_asked_for_that() {
    let browser = browser_with(1);
    browser.click("#add");
    browser.click("#cancel");
    browser.click(&button("Delete", 1));
    browser.await_text("#notice", "is deleted");
    let animation = "getComputedStyle(document.querySelector('#notice')).animationName";
    assert_eq!(browser.value(animation), json!("rise"));
    browser.prefer("prefers-reduced-motion", "reduce");
    assert_eq!(browser.value(animation), json!("none"));
    let moving = "[...document.querySelectorAll('*')].filter((element) => { const style = getComputedStyle(element);
        return style.animationName !== 'none' || style.transitionDuration !== '0s'; }).length";
    assert_eq!(browser.value(moving), json!(0));
}
