//! Values do not change on the way. The fuzzers prove that no input causes a panic: see `tests/fuzz/`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use app::order::{orders_as_json, read_order, read_orders, Money, Order};
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
    fn orders_survive_their_json(orders in proptest::collection::vec(any_order(), 1..5)) {
        let mut orders = orders;
        for (index, order) in orders.iter_mut().enumerate() {
            order.order_id = i32::try_from(index).unwrap() + 1;
        }
        let json = orders_as_json(&orders);
        prop_assert_eq!(read_orders(json.as_bytes()), Ok(orders.clone()));
        let mut text = String::new();
        orders[0].write_json(&mut text);
        prop_assert_eq!(read_order(text.as_bytes(), None), Ok(orders[0].clone()));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }
}
