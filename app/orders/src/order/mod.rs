//! Orders, and their JSON form.

mod draft;
mod fields;
mod input;

pub use draft::{Draft, Price};
pub use input::{read_draft, read_order, read_orders, Rejection, MAX_ORDERS};
pub use microservice::money::{Money, MoneyError};

/// A valid order.
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
    /// Not with serde, which would convert the exact decimal numbers of money through floating point.
    pub fn write_json(&self, out: &mut String) {
        let mut digits = itoa::Buffer::new();
        out.push_str(r#"{"order_id":"#);
        out.push_str(digits.format(self.order_id));
        out.push_str(r#","product_id":"#);
        out.push_str(digits.format(self.product_id));
        out.push_str(r#","quantity":"#);
        out.push_str(digits.format(self.quantity));
        out.push_str(r#","amount":"#);
        self.amount.write_to(out);
        out.push_str(r#","shipping":"#);
        self.shipping.write_to(out);
        out.push_str(r#","tax":"#);
        self.tax.write_to(out);
        out.push_str(r#","shipping_address":"#);
        // A text always has a JSON form.
        out.push_str(&serde_json::to_string(&self.shipping_address).unwrap_or_default());
        out.push('}');
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
