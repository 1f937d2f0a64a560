//! The table of the outbox, and the triggers that fill it.
//!
//! They fill it in the transaction of the change: there is no change without its event, no event without its change, and
//! a change still takes one round trip. A session variable enables them, so that the outbox does not grow while no
//! replica sends events.

use microservice::database::{get_integer, is_denied, DatabaseError, QueryResult};
use microservice::trace::Trace;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::dead_letters;
use crate::event::Kind;

/// The session variable that enables the triggers.
pub const ENABLE_TRIGGERS: &str = ", @announce_orders = 1";

/// A sequence number is allocated while the order's row is locked, so within the events of one order they are in the
/// sequence of its changes.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS orders_outbox (\
    sequence BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
    event_id CHAR(36) CHARACTER SET ascii NOT NULL DEFAULT UUID(), \
    kind VARCHAR(16) CHARACTER SET ascii NOT NULL, \
    happened_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), \
    order_id INT NOT NULL, \
    product_id INT NOT NULL, \
    quantity INT NOT NULL, \
    amount DECIMAL(12,2) NOT NULL, \
    shipping DECIMAL(12,2) NOT NULL, \
    tax DECIMAL(12,2) NOT NULL, \
    shipping_address VARCHAR(256) CHARACTER SET utf8mb4 NOT NULL) ENGINE = InnoDB";

/// Whether the triggers exist and store the trace context, as those of later versions must: others are replaced. A user
/// without the TRIGGER privilege does not see them.
pub async fn has_triggers(connection: &mut Conn) -> Result<bool, Error> {
    const TRIGGERS: &str = "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
        AND event_object_table = 'orders' AND trigger_name IN ('orders_created', 'orders_updated', 'orders_deleted') \
        AND INSTR(action_statement, '@orders_trace') > 0";
    let rows: Vec<Row> = connection.query(TRIGGERS).await?;
    Ok(rows.first().and_then(|row| get_integer(row, 0)) == Some(3))
}

/// Creates the outbox and the dead letters, or the columns that they lack.
pub async fn create_tables(connection: &mut Conn) -> Result<(), Error> {
    connection.query_drop(CREATE).await?;
    dead_letters::create(connection).await?;
    // Triggers of an older version do not fill it, and older replicas do not read it.
    for table in ["orders_outbox", "orders_dead_letters"] {
        let add_trace = format!(
            "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS trace VARCHAR({}) CHARACTER SET ascii NULL",
            Trace::MAX_BYTES
        );
        connection.query_drop(add_trace).await?;
    }
    Ok(())
}

/// Creates the triggers that fill the outbox, in place of those of an older version: at no time there are none. The error
/// is a sentence for who runs the service.
pub async fn create_triggers(connection: &mut Conn) -> QueryResult<()> {
    for (change, row, kind) in [
        ("INSERT", "NEW", Kind::Created),
        ("UPDATE", "NEW", Kind::Updated),
        ("DELETE", "OLD", Kind::Deleted),
    ] {
        let kind = kind.name();
        // The sessions of an older version assign no trace.
        let trigger = format!(
            "CREATE OR REPLACE TRIGGER orders_{kind} AFTER {change} ON orders FOR EACH ROW \
            IF @announce_orders THEN INSERT INTO orders_outbox \
            (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address, trace) \
            VALUES ('{kind}', {row}.order_id, {row}.product_id, {row}.quantity, {row}.amount, {row}.shipping, \
            {row}.tax, {row}.shipping_address, NULLIF(@orders_trace, '')); END IF"
        );
        match connection.query_drop(trigger).await {
            Err(error) if is_denied(&error) => {
                return Ok(Err(DatabaseError::SchemaRefused(
                    "the database does not let this service make triggers, which announcing changes needs: grant \
                     TRIGGER on its tables, with a binary log also set log_bin_trust_function_creators = 1, or leave \
                     EVENTS_URL unset"
                        .to_owned(),
                )))
            }
            result => result?,
        }
    }
    Ok(Ok(()))
}
