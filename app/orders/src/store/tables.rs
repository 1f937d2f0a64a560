//! The tables of the orders.

use microservice::database::{get_integer, get_text, DatabaseError, QueryResult, Tables};
use microservice::log::{self, Level};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::outbox_tables;
use crate::schema::{plan_migration, Column, DemoRows, Plan, ORDERS_VERSION, OUTBOX_VERSION, TRACE_VERSION};

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

/// The tables of events, and whether they have their latest column.
const EVENT_TABLES: &str = "SELECT table_name, MAX(column_name = 'trace') FROM information_schema.columns \
    WHERE table_schema = DATABASE() AND table_name IN ('orders_outbox', 'orders_dead_letters') GROUP BY table_name";

const OLDER_TRIGGERS: &str =
    "events carry no trace context, because the database does not let this service replace the \
    triggers of an older version: grant TRIGGER on its tables, then call /init";

/// The tables of the orders.
#[derive(Debug)]
pub struct OrderTables {
    /// Whether changes are sent as events, for which there is an outbox.
    pub publishes_events: bool,
}

impl Tables for OrderTables {
    const SCHEMA: &'static str = "orders_schema";
    const NAMES: &'static [&'static str] = &["orders", "orders_outbox", "orders_dead_letters"];

    fn version(&self) -> u32 {
        if self.publishes_events {
            TRACE_VERSION
        } else {
            ORDERS_VERSION
        }
    }

    fn session_variables(&self) -> &'static str {
        if self.publishes_events {
            outbox_tables::ENABLE_TRIGGERS
        } else {
            ""
        }
    }

    async fn migrate(&self, connection: &mut Conn, version: Option<u32>) -> QueryResult<Option<String>> {
        let plan = plan_migration(version, &read_columns(connection).await?);
        match &plan {
            Plan::Keep | Plan::Record => {}
            Plan::Create => connection.query_drop(CREATE).await?,
            Plan::ConvertDemo => {
                if let Some(conversion_error) = count_demo_rows(connection).await?.conversion_error() {
                    return Ok(Err(DatabaseError::SchemaRefused(conversion_error)));
                }
                connection.query_drop(CONVERT_DEMO).await?;
            }
            Plan::Refuse(reason) => return Ok(Err(DatabaseError::SchemaRefused(reason.clone()))),
        }
        let mut changes = match &plan {
            Plan::Keep => Vec::new(),
            plan => vec![format!("{plan:?}")],
        };
        if self.publishes_events {
            match migrate_events(connection, version, plan == Plan::Create).await? {
                Ok(event_changes) => changes.extend(event_changes),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok((!changes.is_empty()).then(|| changes.join(", "))))
    }
}

/// Creates the tables of events and the triggers that fill them.
async fn migrate_events(connection: &mut Conn, version: Option<u32>, is_orders_new: bool) -> QueryResult<Vec<String>> {
    let mut changes = Vec::new();
    // An administrator may have dropped a table, or restored one of an older version.
    let rows: Vec<Row> = connection.query(EVENT_TABLES).await?;
    let is_outbox_missing = version < Some(OUTBOX_VERSION)
        || is_orders_new
        || rows.iter().all(|row| get_text(row, 0) != Some("orders_outbox"));
    let is_complete = rows.iter().filter(|row| get_integer(row, 1) == Some(1)).count() == 2;
    if version < Some(TRACE_VERSION) || !is_complete {
        outbox_tables::create_tables(connection).await?;
        changes.push("CreateOutbox".to_owned());
    }
    // A new table of orders has no triggers. A backup may have been restored without them, or with those of an older
    // version: there would be no events, or none with a trace context.
    if is_outbox_missing || !outbox_tables::has_triggers(connection).await? {
        match outbox_tables::create_triggers(connection).await? {
            Ok(()) => changes.push("CreateTriggers".to_owned()),
            Err(failure) if is_outbox_missing => return Ok(Err(failure)),
            // An administrator may have created the triggers, and this user cannot see them. Those of an older version
            // do their work.
            Err(_) if version < Some(TRACE_VERSION) => log::event(Level::Warn, OLDER_TRIGGERS),
            Err(_) => {}
        }
    }
    Ok(Ok(changes))
}

async fn read_columns(connection: &mut Conn) -> Result<Vec<Column>, Error> {
    let rows: Vec<Row> = connection.query(COLUMNS).await?;
    let lower = |row: &Row, column| get_text(row, column).unwrap_or_default().to_ascii_lowercase();
    Ok(rows
        .iter()
        .map(|row| Column {
            name: lower(row, 0),
            kind: lower(row, 1),
            is_key: lower(row, 2) == "pri",
        })
        .collect())
}

async fn count_demo_rows(connection: &mut Conn) -> Result<DemoRows, Error> {
    let rows: Vec<Row> = connection.query(DEMO_ROWS).await?;
    let count = |column| rows.first().and_then(|row| get_integer(row, column)).unwrap_or(0);
    Ok(DemoRows {
        with_missing_values: count(0),
        with_repeated_ids: count(1),
        with_money_out_of_range: count(2),
    })
}
