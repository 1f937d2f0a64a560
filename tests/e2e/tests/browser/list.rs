//! The list: pages, totals, who answered; add, edit, delete and undo with the mouse.

use e2e::pods;
use serde_json::json;

use crate::orders::{browser_with, button, fill_in, id, order, stored};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn pages_are_turned_forth_and_back_and_the_browsers_history_knows_them() {
    let browser = browser_with(60);
    let shows = |page: &str, first: i32, count: usize| {
        browser.await_text("#page-number", page);
        browser.await_text("#rows th", &id(first).to_string());
        browser.await_that(&format!("document.querySelectorAll('#rows tr').length === {count}"));
    };
    shows("Page 1", 1, 25);
    browser.click("#next");
    shows("Page 2", 26, 25);
    browser.click("#next");
    shows("Page 3", 51, 10);
    browser.await_that("document.querySelector('#next').ariaDisabled === 'true'");
    browser.click("#next");
    browser.click("#previous");
    shows("Page 2", 26, 25);
    browser.reload();
    shows("Page 2", 26, 25);
    browser.back();
    shows("Page 3", 51, 10);
    browser.back();
    browser.back();
    shows("Page 1", 1, 25);
    browser.await_that("document.querySelector('#previous').ariaDisabled === 'true'");

    browser.click("#first");
    browser.await_that("location.search === ''");
    browser.await_that("document.querySelector('#first').ariaDisabled === 'true'");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_page_before_is_shown_when_the_last_order_of_a_page_is_deleted() {
    let browser = browser_with(26);
    browser.click("#next");
    browser.await_text("#page-number", "Page 2");
    browser.click(&button("Delete", 26));
    browser.await_text("#page-number", "Page 1");
    browser.await_text("#total-orders", "25");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_order_is_added_changed_deleted_and_put_back_and_the_totals_follow() {
    let browser = browser_with(2);
    let totals = |orders: &str, quantity: &str, sum: &str| {
        browser.await_text("#total-orders", orders);
        browser.await_text("#total-quantity", quantity);
        browser.await_text("#total-sum", sum);
    };
    // 57.10 + 4.90 + 3.22 and 94.25 + 4.90 + 5.39
    totals("2", "17", "169.76");

    browser.click("#add");
    fill_in(&browser, 3);
    browser.click("#save");
    browser.await_text("#notice", &format!("Order {} is added.", id(3)));
    assert_eq!(stored(3), (200, order(3)));
    // 131.40 + 0 + 7.56
    totals("3", "21", "308.72");

    browser.click(&button("Edit", 3));
    assert_eq!(
        browser.value("document.querySelector('#order_id').readOnly"),
        json!(true)
    );
    browser.fill("#quantity", "1000");
    browser.fill("#shipping_address", "Größerweg 1, 二番町");
    browser.click("#save");
    browser.await_text("#notice", &format!("Order {} is changed.", id(3)));
    browser.await_text("#rows tr:last-child", "Größerweg 1, 二番町");
    totals("3", "1,017", "308.72");
    let changed = stored(3).1;
    assert_eq!(changed["quantity"], json!(1000));

    browser.click(&button("Delete", 3));
    browser.await_text("#notice", &format!("Order {} is deleted.", id(3)));
    totals("2", "17", "169.76");
    assert_eq!(stored(3).0, 404);
    browser.click("#undo");
    browser.await_text("#notice", &format!("Order {} is back.", id(3)));
    totals("3", "1,017", "308.72");
    assert_eq!(stored(3), (200, changed));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn undo_puts_back_what_was_deleted_even_when_the_list_was_older() {
    let browser = browser_with(1);
    // The page hears nothing more of the list; somebody else changes the order; then it is deleted here.
    browser.run("clearTimeout(timer)");
    let mut changed = order(1);
    changed["quantity"] = json!(77);
    assert_eq!(e2e::answered("POST", "/update_order", Some(&changed)).0, 200);
    browser.click(&button("Delete", 1));
    browser.await_text("#notice", "deleted");
    browser.click("#undo");
    browser.await_text("#notice", "is back");
    assert_eq!(stored(1), (200, changed));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_page_says_which_pod_answered_and_how_it_is_executed() {
    let browser = browser_with(1);
    browser.await_text("#served-by", "aot");
    let output = browser.text("#served-by");
    assert!(output.contains("wasm"), "{output}");
    let names: Vec<_> = pods("orders", "app=app")
        .iter()
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        names.iter().any(|name| output.contains(name)),
        "none of {names:?}: {output}"
    );
}
