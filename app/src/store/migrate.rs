//! Making the tables current.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::failure::{classify, is_broken};
use super::statements::{integer, schema_version, text};
use super::Store;
use crate::command::Failure;
use crate::log::{self, Level};
use crate::schema::{plan, Column, DemoRows, Plan, CURRENT_VERSION};

/// Replicas that start together take turns. The server frees the lock with its connection, so a
/// replica that dies holds up nobody. Lock names are global to the server, hence the database.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('orders_schema.', MD5(DATABASE())), 60)";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('orders_schema.', MD5(DATABASE())))";

/// A large table takes its time; only requests are held to the query timeout.
const UNLIMITED: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES' /*M!, max_statement_time = 0 */";

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS orders_schema (\
    version INT NOT NULL PRIMARY KEY, \
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE = InnoDB";

const RECORD: &str = "INSERT IGNORE INTO orders_schema (version) VALUES (?)";

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

impl Store {
    /// Makes the tables current. Doing it again does nothing.
    pub(super) async fn migrate(&self) -> Result<(), Failure> {
        let mut lease = self.pool.lease().await?;
        // The connection is not given back: its settings are not those of the others.
        migrate(lease.connection()).await.unwrap_or_else(|error| {
            if is_broken(&error) {
                self.pool.forget_idle();
            }
            Err(classify(&error))
        })
    }
}

/// The outer error is the database's, the inner one ours.
async fn migrate(connection: &mut Conn) -> Result<Result<(), Failure>, Error> {
    connection.query_drop(UNLIMITED).await?;
    let rows: Vec<Row> = connection.query(LOCK).await?;
    if rows.first().and_then(|row| integer(row, 0)) != Some(1) {
        return Ok(Err(Failure::Unavailable(
            "another replica is preparing the tables; try again soon",
        )));
    }
    connection.query_drop(VERSIONS).await?;
    let version = schema_version(connection).await?;
    let plan = plan(version, &columns(connection).await?);
    match &plan {
        Plan::Keep => {}
        Plan::Create => connection.query_drop(CREATE).await?,
        Plan::Record => {}
        Plan::ConvertDemo => {
            if let Some(obstacle) = demo_rows(connection).await?.obstacle() {
                return Ok(Err(Failure::SchemaRefused(obstacle)));
            }
            connection.query_drop(CONVERT_DEMO).await?;
        }
        Plan::Refuse(reason) => return Ok(Err(Failure::SchemaRefused(reason.clone()))),
    }
    if plan != Plan::Keep {
        connection.exec_drop(RECORD, (CURRENT_VERSION,)).await?;
        log::event(
            Level::Info,
            &format!("the tables are now at version {CURRENT_VERSION} ({plan:?})"),
        );
    }
    connection.query_drop(UNLOCK).await?;
    Ok(Ok(()))
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
