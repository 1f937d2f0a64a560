//! The order: what it holds, how it is read from a client and written for one.

mod input;
mod money;

pub use input::{read_order, read_orders, Rejection, MAX_ORDERS};
pub use money::{Money, MoneyError};

use std::fmt::Write;

/// An order that keeps every rule of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Greater than 0; the primary key.
    pub order_id: i32,
    /// Greater than 0.
    pub product_id: i32,
    /// Greater than 0.
    pub quantity: i32,
    /// Price of the goods.
    pub amount: Money,
    /// Price of the shipping.
    pub shipping: Money,
    /// The tax.
    pub tax: Money,
    /// 1 to [`MAX_ADDRESS_CHARACTERS`] characters, none of them a control character.
    pub shipping_address: String,
}

/// The longest shipping address, in characters: the width of its database column.
pub const MAX_ADDRESS_CHARACTERS: usize = 256;

impl Order {
    /// Appends the order as a JSON object.
    ///
    /// Written by hand because a money value must be a JSON number with its exact digits, which a
    /// serializer would take through a floating point number.
    pub fn write_json(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            r#"{{"order_id":{},"product_id":{},"quantity":{},"amount":{},"shipping":{},"tax":{},"shipping_address":{}}}"#,
            self.order_id,
            self.product_id,
            self.quantity,
            self.amount,
            self.shipping,
            self.tax,
            serde_json::Value::from(self.shipping_address.as_str()),
        );
    }
}

/// The orders as one JSON array.
pub fn orders_as_json(orders: &[Order]) -> String {
    let mut out = String::with_capacity(2 + orders.len() * 160);
    out.push('[');
    for (index, order) in orders.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        order.write_json(&mut out);
    }
    out.push(']');
    out
}
