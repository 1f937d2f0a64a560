//! Everything without a mouse, and the focus is always where one goes on, and can be seen.

use e2e::browser::Browser;
use serde_json::json;
use thirtyfour::Key;

use crate::orders::{browser_with, button, id, stored};

/// Waits until the focus is on an element, and can be seen there.
#[track_caller]
fn focus_is_on(browser: &Browser, css: &str) {
    browser.await_that(&format!("document.activeElement === document.querySelector({css:?})"));
    let visible =
        "document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(
        browser.value(visible),
        json!("solid"),
        "the focus on {css} cannot be seen"
    );
}

fn press(browser: &Browser, keys: &[Key]) {
    for key in keys {
        browser.press(key.clone());
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_order_is_added_changed_deleted_and_put_back_with_the_keyboard_alone() {
    let browser = browser_with(1);
    press(&browser, &[Key::Tab]);
    focus_is_on(&browser, "#add");
    press(&browser, &[Key::Enter]);
    for (field, text) in [
        ("order_id", id(2).to_string()),
        ("product_id", "12".to_owned()),
        ("quantity", "2".to_owned()),
        ("amount", "56.5".to_owned()),
        ("shipping", "15".to_owned()),
        ("tax", "2".to_owned()),
        ("shipping_address", "Mataderos 2312".to_owned()),
    ] {
        focus_is_on(&browser, &format!("#{field}"));
        browser.press(text);
        if field != "shipping_address" {
            press(&browser, &[Key::Tab]);
        }
    }
    press(&browser, &[Key::Enter]);
    browser.await_text("#notice", "is added");
    focus_is_on(&browser, "#add");
    browser.await_text("#total-orders", "2");

    // Two buttons of the first row, then the new one.
    press(&browser, &[Key::Tab, Key::Tab, Key::Tab]);
    focus_is_on(&browser, &button("Edit", 2));
    press(&browser, &[Key::Enter]);
    focus_is_on(&browser, "#product_id");
    press(&browser, &[Key::Tab]);
    browser.press("5");
    press(&browser, &[Key::Enter]);
    browser.await_text("#notice", "is changed");
    focus_is_on(&browser, &button("Edit", 2));
    let changed = stored(2).1;
    assert_eq!((&changed["quantity"], &changed["product_id"]), (&json!(5), &json!(12)));

    press(&browser, &[Key::Enter]);
    focus_is_on(&browser, "#product_id");
    browser.press("99");
    press(&browser, &[Key::Escape]);
    focus_is_on(&browser, &button("Edit", 2));
    assert_eq!(stored(2).1, changed, "Escape changes nothing");

    press(&browser, &[Key::Tab, Key::Enter]);
    focus_is_on(&browser, "#undo");
    assert_eq!(stored(2).0, 404);
    press(&browser, &[Key::Enter]);
    focus_is_on(&browser, &button("Edit", 2));
    assert_eq!(stored(2), (200, changed));

    press(&browser, &[Key::Tab, Key::Enter]);
    focus_is_on(&browser, "#undo");
    press(&browser, &[Key::Escape]);
    focus_is_on(&browser, &button("Edit", 1));
    assert_eq!(browser.text("#notice"), "");
    assert_eq!(stored(2).0, 404);
}
