//! What the service refuses stands beside the fields, and nothing that was typed is lost.

use e2e::browser::Browser;
use serde_json::json;

use crate::orders::{browser_with, button, fill_in, id, order, stored};

/// What is typed in the editor, field by field.
fn typed(browser: &Browser) -> serde_json::Value {
    browser.value(
        "Object.fromEntries([...document.querySelectorAll('#fields input')].map((input) => [input.id, input.value]))",
    )
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn every_wrong_field_is_told_at_once_beside_the_field() {
    let browser = browser_with(0);
    browser.click("#add");
    for (field, text) in [
        ("#order_id", "many"),
        ("#product_id", "12"),
        ("#quantity", "0"),
        ("#amount", "56.555"),
        ("#shipping", "-1"),
        ("#shipping_address", "Mataderos 2312"),
    ] {
        browser.fill(field, text);
    }
    let before = typed(&browser);
    browser.click("#save");
    browser.await_text("#order_id-error", "Order must be a whole number.");
    assert_eq!(browser.text("#quantity-error"), "Quantity must be greater than 0.");
    assert_eq!(browser.text("#amount-error"), "Amount must have at most two decimals.");
    assert_eq!(browser.text("#shipping-error"), "Shipping must not be negative.");
    assert_eq!(browser.text("#tax-error"), "Tax is missing.");
    assert_eq!(browser.text("#product_id-error"), "");
    assert_eq!(browser.text("#shipping_address-error"), "");
    assert_eq!(typed(&browser), before, "nothing that was typed is lost");
    assert_eq!(browser.value("document.activeElement.id"), json!("order_id"));
    let invalid = "[...document.querySelectorAll('[aria-invalid=true]')].map((field) => field.id)";
    assert_eq!(
        browser.value(invalid),
        json!(["order_id", "quantity", "amount", "shipping", "tax"])
    );

    fill_in(&browser, 1);
    browser.click("#save");
    browser.await_text("#notice", "is added");
    assert_eq!(stored(1), (200, order(1)));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_id_that_exists_is_told_beside_the_id() {
    let browser = browser_with(1);
    browser.click("#add");
    fill_in(&browser, 1);
    browser.fill("#quantity", "99");
    browser.click("#save");
    browser.await_text("#order_id-error", &format!("Order {} exists already.", id(1)));
    assert_eq!(browser.value("document.activeElement.id"), json!("order_id"));
    assert_eq!(stored(1), (200, order(1)), "the order that exists is as it was");

    browser.fill("#order_id", &id(2).to_string());
    browser.click("#save");
    browser.await_text("#notice", "is added");
    assert_eq!(stored(2).1["quantity"], json!(99), "the rest was still there");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn numbers_arrive_digit_for_digit() {
    let browser = browser_with(0);
    browser.click("#add");
    fill_in(&browser, 1);
    browser.fill("#amount", "9999999999.99");
    // As a floating point number it would be 56.55, and be taken.
    browser.fill("#tax", "56.550000000000000001");
    browser.click("#save");
    browser.await_text("#tax-error", "Tax must have at most two decimals.");
    browser.fill("#tax", "0.10");
    browser.click("#save");
    browser.await_text("#rows", "9,999,999,999.99");
    assert_eq!(stored(1).1["amount"], json!(9_999_999_999.99));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_is_clicked_twice_is_done_once() {
    let browser = browser_with(0);
    let requests = |path: &str| {
        let ours = format!("(request) => request.name.endsWith('{path}')");
        browser.value(&format!(
            "performance.getEntriesByType('resource').filter({ours}).length"
        ))
    };
    browser.click("#add");
    fill_in(&browser, 1);
    browser.run("form.requestSubmit(); form.requestSubmit();");
    browser.await_text("#notice", "is added");
    assert_eq!(requests("/orders"), json!(1));

    let delete = button("Delete", 1);
    browser.await_that(&format!("document.querySelector(\"{delete}\") !== null"));
    browser.run(&format!(
        "const button = document.querySelector(\"{delete}\"); button.click(); button.click();"
    ));
    browser.await_text("#total-orders", "0");
    browser.await_text("#notice", "is deleted");
    // What Undo puts back is asked for, then it is deleted.
    assert_eq!(requests(&format!("/orders/{}", id(1))), json!(2));
    browser.run("const button = document.querySelector('#undo'); button.click(); button.click();");
    browser.await_text("#notice", "is back");
    assert_eq!(stored(1), (200, order(1)));
    assert_eq!(requests("/orders"), json!(2));
}
