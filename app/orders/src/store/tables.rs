//! The tables of the orders.

use microservice::database::{integer, text, DatabaseError, QueryResult, Tables};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::{dead_letters, outbox};
use crate::schema::{plan, Column, DemoRows, Plan, DEAD_LETTERS_VERSION, ORDERS_VERSION, OUTBOX_VERSION};

const COLUMNS: &str = "SELECT column_name, data_type, column_key FROM information_schema.columns \
    WHERE table_schema = DATABASE() AND table_name = 'orders' ORDER BY ordinal_position";

const CREATE: &str = "CREATE TABLE orders (\
    order_id INT NOT NULL PRIMARY KEY, \
    product_id INT NOT NULL, \
    quantity INT NOT NULL, \
    amount DECIMAL(12,2) NOT NULL, \
    shipping DECIMAL(12,2) NOT NULL, \
    tax DECIMAL(12,2) NOT NULL, \
    shipping_address VARCHAR(256) CHARACTER SET utf8mb4 NOT NULL) ENGINE = InnoDB";

const DEMO_ROWS: &str = "SELECT \
    COUNT(CASE WHEN order_id IS NULL OR product_id IS NULL OR quantity IS NULL OR amount IS NULL \
        OR shipping IS NULL OR tax IS NULL OR shipping_address IS NULL THEN 1 END), \
    COUNT(order_id) - COUNT(DISTINCT order_id), \
    COUNT(CASE WHEN LEAST(amount, shipping, tax) < 0 \
        OR GREATEST(amount, shipping, tax) > 9999999999 THEN 1 END) \
    FROM orders";

const CONVERT_DEMO: &str = "ALTER TABLE orders \
    MODIFY order_id INT NOT NULL, \
    MODIFY product_id INT NOT NULL, \
    MODIFY quantity INT NOT NULL, \
    MODIFY amount DECIMAL(12,2) NOT NULL, \
    MODIFY shipping DECIMAL(12,2) NOT NULL, \
    MODIFY tax DECIMAL(12,2) NOT NULL, \
    MODIFY shipping_address VARCHAR(256) CHARACTER SET utf8mb4 NOT NULL, \
    ADD PRIMARY KEY (order_id), \
    ENGINE = InnoDB";

const PRESENT: &str = "SELECT table_name FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_name IN ('orders_outbox', 'orders_dead_letters')";

/// The tables of the orders.
#[derive(Debug)]
pub struct OrderTables {
    /// Whether changes are announced, for which there is an outbox.
    pub announces: bool,
}

impl Tables for OrderTables {
    const SCHEMA: &'static str = "orders_schema";
    const NAMES: &'static [&'static str] = &["orders", "orders_outbox", "orders_dead_letters"];

    fn version(&self) -> u32 {
        match self.announces {
            true => DEAD_LETTERS_VERSION,
            false => ORDERS_VERSION,
        }
    }

    fn session_variables(&self) -> &'static str {
        match self.announces {
            true => outbox::ANNOUNCE,
            false => "",
        }
    }

    async fn migrate(&self, connection: &mut Conn, version: Option<u32>) -> QueryResult<Option<String>> {
        let plan = plan(version, &columns(connection).await?);
        match &plan {
            Plan::Keep | Plan::Record => {}
            Plan::Create => connection.query_drop(CREATE).await?,
            Plan::ConvertDemo => {
                if let Some(obstacle) = demo_rows(connection).await?.obstacle() {
                    return Ok(Err(DatabaseError::SchemaRefused(obstacle)));
                }
                connection.query_drop(CONVERT_DEMO).await?;
            }
            Plan::Refuse(reason) => return Ok(Err(DatabaseError::SchemaRefused(reason.clone()))),
        }
        let mut done = match &plan {
            Plan::Keep => Vec::new(),
            plan => vec![format!("{plan:?}")],
        };
        // A table that was recreated has no triggers either; and somebody may have dropped one of the others.
        let rows: Vec<Row> = connection.query(PRESENT).await?;
        let lacks = |name| plan == Plan::Create || rows.iter().all(|row| text(row, 0) != Some(name));
        let lacks_outbox = version < Some(OUTBOX_VERSION) || lacks("orders_outbox");
        // A backup may have been restored without the triggers: changes would not be announced.
        if self.announces && (lacks_outbox || !outbox::has_triggers(connection).await?) {
            match outbox::create(connection).await? {
                Ok(()) => done.push("CreateOutbox".to_owned()),
                Err(failure) if lacks_outbox => return Ok(Err(failure)),
                // They may have been made by somebody else.
                Err(_) => {}
            }
        }
        if self.announces && (version < Some(DEAD_LETTERS_VERSION) || lacks("orders_dead_letters")) {
            dead_letters::create(connection).await?;
            done.push("CreateDeadLetters".to_owned());
        }
        Ok(Ok((!done.is_empty()).then(|| done.join(", "))))
    }
}

async fn columns(connection: &mut Conn) -> Result<Vec<Column>, Error> {
    let rows: Vec<Row> = connection.query(COLUMNS).await?;
    let lower = |row: &Row, column| text(row, column).unwrap_or_default().to_ascii_lowercase();
    Ok(rows
        .iter()
        .map(|row| Column {
            name: lower(row, 0),
            kind: lower(row, 1),
            is_key: lower(row, 2) == "pri",
        })
        .collect())
}

async fn demo_rows(connection: &mut Conn) -> Result<DemoRows, Error> {
    let rows: Vec<Row> = connection.query(DEMO_ROWS).await?;
    let count = |column| rows.first().and_then(|row| integer(row, column)).unwrap_or(0);
    Ok(DemoRows {
        with_missing_values: count(0),
        with_repeated_ids: count(1),
        with_money_out_of_range: count(2),
    })
}
