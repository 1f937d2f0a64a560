//! Orders and money as clients write them.

use app::order::{
    MAX_ADDRESS_CHARACTERS, MAX_ORDERS, Money, Order, Rejection, orders_as_json, read_order, read_orders,
};

/// A body that brings orders: what is accepted keeps every rule and survives being written and read again.
pub fn orders(body: &[u8]) {
    for id_from_path in [None, Some(7)] {
        match read_order(body, id_from_path) {
            Ok(order) => {
                assert!(id_from_path.is_none_or(|id| id == order.order_id));
                check_order(&order);
            }
            Err(rejection) => check_rejection(&rejection),
        }
    }
    match read_orders(body) {
        Ok(orders) => {
            assert!((1..=MAX_ORDERS).contains(&orders.len()));
            orders.iter().for_each(check_order);
            let json = orders_as_json(&orders);
            assert_eq!(read_orders(json.as_bytes()), Ok(orders));
        }
        Err(rejection) => check_rejection(&rejection),
    }
}

fn check_order(order: &Order) {
    assert!(order.order_id > 0 && order.product_id > 0 && order.quantity > 0);
    assert!((1..=MAX_ADDRESS_CHARACTERS).contains(&order.shipping_address.chars().count()));
    assert!(!order.shipping_address.chars().any(char::is_control));
    let mut json = String::new();
    order.write_json(&mut json);
    assert_eq!(read_order(json.as_bytes(), None).as_ref(), Ok(order), "{json}");
}

fn check_rejection(rejection: &Rejection) {
    match rejection {
        // Line 0 is the place of an error that has none: a fault of ours, not of the body.
        Rejection::NotJson { line, .. } => assert!(*line > 0),
        Rejection::Invalid { message, fields } => {
            assert!(!message.is_empty());
            assert!(
                fields
                    .iter()
                    .all(|field| !field.field.is_empty() && !field.message.is_empty())
            );
        }
    }
}

/// A number: an amount that is accepted has the value of the text, which is judged here digit by digit.
pub fn money(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let Ok(money) = Money::parse(text) else {
        return;
    };
    assert!(money <= Money::MAX);
    assert_eq!(Money::parse(&money.to_string()), Ok(money));
    // A floating point number is exact enough to tell any two amounts apart.
    let value: f64 = text.parse().unwrap();
    assert_eq!((value * 100.0).round() as u64, money.cents(), "{text}");
}
