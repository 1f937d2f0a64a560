//! The orders that these tests use: ids that nobody else has, shown alone by a page that starts before them.

use std::sync::Once;

use e2e::browser::Browser;
use e2e::{answered, reachable};
use serde_json::{Value, json};

/// The id before all of these orders.
const BEFORE: i32 = 2_147_000_000;

/// The id of the n-th of these orders, from 1.
pub fn id(number: i32) -> i32 {
    BEFORE + number
}

/// The n-th order.
pub fn order(number: i32) -> Value {
    const STREETS: [&str; 6] = [
        "Mataderos 2312, Buenos Aires",
        "Calle de Alcalá 42, Madrid",
        "Unter den Linden 5, Berlin",
        "221B Baker Street, London",
        "Via Roma 10, Torino",
        "Storgata 8, Oslo",
    ];
    json!({
        "order_id": id(number),
        "product_id": 10 + number * 7 % 90,
        "quantity": 1 + number * 5 % 12,
        "amount": f64::from(1_995 + number * 3_715 % 90_000) / 100.0,
        "shipping": if number % 3 == 0 { json!(0) } else { json!(4.9) },
        "tax": f64::from(105 + number * 217 % 9_000) / 100.0,
        "shipping_address": STREETS[usize::try_from(number).unwrap() % STREETS.len()],
    })
}

/// What the service has under this id.
pub fn stored(number: i32) -> (u16, Value) {
    answered("GET", &format!("/orders/{}", id(number)), None)
}

/// A browser that shows exactly the first so many orders.
pub fn browser_with(count: i32) -> Browser {
    // Once: none of these tests takes the service away and leaves it so.
    static REACHABLE: Once = Once::new();
    REACHABLE.call_once(reachable);
    let (status, left) = answered("GET", &format!("/orders?after={BEFORE}"), None);
    assert_eq!(status, 200, "{left}");
    for order in left.as_array().unwrap() {
        let path = format!("/orders/{}", order["order_id"]);
        answered("DELETE", &path, None);
    }
    if count > 0 {
        let orders: Vec<_> = (1..=count).map(order).collect();
        assert_eq!(answered("POST", "/create_orders", Some(&json!(orders))).0, 200);
    }
    let browser = Browser::start();
    browser.open(&format!("/?after={BEFORE}"));
    browser.await_text("#total-orders", &count.min(25).to_string());
    browser
}

/// The selector of a button of the n-th order: `Edit` or `Delete`.
pub fn button(action: &str, number: i32) -> String {
    format!("[data-action='{action} {}']", id(number))
}

/// Types the n-th order into the editor.
pub fn fill_in(browser: &Browser, number: i32) {
    for (field, value) in order(number).as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        browser.fill(&format!("#{field}"), &text);
    }
}
