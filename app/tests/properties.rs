//! Whatever comes in, nothing on its path panics, and values stay what they are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use app::config::Config;
use app::http::{read_action, Parts};
use app::order::{orders_as_json, read_order, read_orders, Money, Order};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Uri};
use microservice::http::{Origins, Query, Target};
use proptest::prelude::*;

fn any_money() -> impl Strategy<Value = Money> {
    (0..=Money::MAX.cents()).prop_map(|cents| Money::from_cents(cents).unwrap())
}

fn any_order() -> impl Strategy<Value = Order> {
    let id = || 1..=i32::MAX;
    let address = proptest::string::string_regex("\\PC{1,256}").unwrap();
    (id(), id(), id(), any_money(), any_money(), any_money(), address).prop_map(
        |(order_id, product_id, quantity, amount, shipping, tax, shipping_address)| Order {
            order_id,
            product_id,
            quantity,
            amount,
            shipping,
            tax,
            shipping_address,
        },
    )
}

/// Text that is nearly an order.
fn nearly_order() -> impl Strategy<Value = String> {
    let field = "order_id|product_id|production_id|quantity|amount|shipping|tax|shipping_address|x";
    let value =
        "-?[0-9]{1,30}(\\.[0-9]{1,10})?([eE][+-]?[0-9]{1,25})?|\"\\PC{0,9}\"|null|\\[\\]|\\{\\}|\"\\\\ud[0-9]{3}\"";
    let pair = proptest::string::string_regex(&format!("\"({field})\":({value})")).unwrap();
    proptest::collection::vec(pair, 0..12).prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
}

fn act_on(method: &str, target: &str, body: Vec<u8>) {
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), target.parse::<Uri>()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    if let Ok(target) = Target::find(&method, uri.path()) {
        let parts = Parts {
            target,
            method: &method,
            query: Query::new(uri.query()),
            headers: &headers,
            body: body.into(),
        };
        // Only whether it returns counts here.
        let _ = read_action(&parts, &Origins::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn money_survives_its_text(money in any_money()) {
        prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
    }

    #[test]
    fn money_never_changes_a_value(whole in 0_u64..10_000_000_000, cents in 0_u64..100, zeros in 0_usize..30) {
        let text = format!("{whole}.{cents:02}{}", "0".repeat(zeros));
        prop_assert_eq!(Money::parse(&text).map(Money::cents), Ok(whole * 100 + cents));
        let shifted = format!("{whole}{cents:02}{}e-{}", "0".repeat(zeros), zeros + 2);
        prop_assert_eq!(Money::parse(&shifted).map(Money::cents), Ok(whole * 100 + cents));
    }

    #[test]
    fn money_takes_any_text(text in "\\PC{0,40}|[-+0-9.eE]{0,60}") {
        if let Ok(money) = Money::parse(&text) {
            prop_assert!(money <= Money::MAX);
        }
    }

    #[test]
    fn orders_survive_their_json(orders in proptest::collection::vec(any_order(), 1..5)) {
        let mut orders = orders;
        for (index, order) in orders.iter_mut().enumerate() {
            order.order_id = i32::try_from(index).unwrap() + 1;
        }
        let json = orders_as_json(&orders);
        prop_assert_eq!(read_orders(json.as_bytes()), Ok(orders.clone()));
        let mut one = String::new();
        orders[0].write_json(&mut one);
        prop_assert_eq!(read_order(one.as_bytes(), None), Ok(orders[0].clone()));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_order(&bytes, None);
        let _ = read_orders(&bytes);
    }

    #[test]
    fn nearly_orders_are_read(text in nearly_order(), id in proptest::option::of(any::<i32>())) {
        let _ = read_orders(format!("[{text}]").as_bytes());
        if let Ok(order) = read_order(text.as_bytes(), id) {
            prop_assert!(order.order_id > 0 && order.product_id > 0 && order.quantity > 0);
            prop_assert!((1..=256).contains(&order.shipping_address.chars().count()));
        }
    }

    #[test]
    fn any_request_is_understood(
        method in "GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|[A-Z]{1,9}",
        path in "/(echo|init|create_orders?|update_order|delete_order|orders|healthz)?(/[-0-9a-z%]{0,12}){0,2}|\\PC{0,30}",
        query in "(\\?((limit|after|id)=?[-+%0-9a-f]{0,12}&?){0,4})?|\\?\\PC{0,30}",
        body in nearly_order(),
    ) {
        act_on(&method, &format!("{path}{query}"), body.into_bytes());
    }

    #[test]
    fn any_configuration_is_read(
        url in proptest::option::of("(mysql://)?\\PC{0,20}(:\\PC{0,9})?@\\PC{0,9}(:[0-9]{0,6})?(/\\PC{0,9})?"),
        other in proptest::option::of("\\PC{0,20}|[0-9]{0,25}"),
    ) {
        let _ = Config::read(|name| match name {
            "DATABASE_URL" => url.clone(),
            _ => other.clone(),
        });
    }
}
