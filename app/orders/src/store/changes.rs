//! The SQL of the statements that change orders.
//!
//! The trace context of a request is passed to the triggers in a session variable, which the statement that changes
//! orders assigns before the first trigger runs, so that it takes no round trip of its own. `LEFT(…, 0)` makes an empty
//! text of what is assigned. A session in which it was assigned once assigns it with every later change as well, an empty
//! text without a trace context: no change is announced with that of an earlier request on the same connection. Sessions
//! that have seen none do without it.

use microservice::database::Connection;

/// The statements that change orders, which differ in whether they assign the trace context.
pub struct Changes {
    /// One new order.
    pub insert: &'static str,
    /// Many orders as one JSON parameter: one statement for any number, while VALUES would need a prepared statement for
    /// each number, and allow at most 65,535 parameters.
    pub insert_many: &'static str,
    /// Replaces an order.
    pub update: &'static str,
    /// Removes an order.
    pub delete: &'static str,
}

macro_rules! changes {
    ($address_parameter:literal, $address_column:literal, $condition:literal) => {
        Changes {
            insert: concat!(
                "INSERT INTO orders (order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
                VALUES (?, ?, ?, ?, ?, ?, ",
                $address_parameter,
                ")"
            ),
            insert_many: concat!(
                "INSERT INTO orders (order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
                SELECT order_id, product_id, quantity, amount, shipping, tax, ",
                $address_column,
                " FROM JSON_TABLE(?, '$[*]' COLUMNS ( \
                    order_id INT PATH '$.order_id', \
                    product_id INT PATH '$.product_id', \
                    quantity INT PATH '$.quantity', \
                    amount DECIMAL(12,2) PATH '$.amount', \
                    shipping DECIMAL(12,2) PATH '$.shipping', \
                    tax DECIMAL(12,2) PATH '$.tax', \
                    shipping_address VARCHAR(256) CHARACTER SET utf8mb4 PATH '$.shipping_address' \
                )) AS new_orders"
            ),
            update: concat!(
                "UPDATE orders SET product_id = ?, quantity = ?, amount = ?, shipping = ?, tax = ?, shipping_address = ",
                $address_parameter,
                " WHERE order_id = ?"
            ),
            delete: concat!("DELETE FROM orders WHERE order_id = ?", $condition),
        }
    };
}

const WITHOUT_TRACE: Changes = changes!("?", "shipping_address", "");

const WITH_TRACE: Changes = changes!(
    "CONCAT(?, LEFT(@orders_trace := ?, 0))",
    "CONCAT(shipping_address, LEFT(@orders_trace := ?, 0))",
    " AND LEFT(@orders_trace := ?, 0) = ''"
);

/// The statements for a session, and the parameter that they need for the trace context.
pub fn choose_changes<'trace>(connection: &mut Connection, trace: &'trace str) -> (Changes, Option<&'trace str>) {
    if !trace.is_empty() {
        connection.keep_variables();
    }
    if connection.has_variables() {
        (WITH_TRACE, Some(trace))
    } else {
        (WITHOUT_TRACE, None)
    }
}
