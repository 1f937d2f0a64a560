//! Plans the migration of the tables.
//!
//! Migrations go forward only and never drop a row. Data definition statements commit implicitly in MariaDB, so a
//! migration may be interrupted before its version is recorded: the plan therefore depends on the columns of the table
//! as well.

/// The version that introduces the table of orders.
pub const ORDERS_VERSION: u32 = 1;
/// The version that introduces the outbox, and triggers that fill it.
pub const OUTBOX_VERSION: u32 = 2;
/// The version that introduces dead letters.
pub const DEAD_LETTERS_VERSION: u32 = 3;
/// The version that introduces the trace context of events, and triggers that store it.
pub const TRACE_VERSION: u32 = 4;

/// A column of the existing table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// The column's type, without its size: `int`, `float`, `decimal`, `varchar`.
    pub kind: String,
    /// Whether it is (part of) the primary key.
    pub is_key: bool,
}

/// What to do to reach [`ORDERS_VERSION`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing. Also if the version is newer: migrations stay compatible with older builds, since both serve during a
    /// rollout.
    Keep,
    /// Create the table of orders.
    Create,
    /// Record the version of a table that has the right columns already.
    Record,
    /// Convert the table of the published demo, if its rows allow it.
    ConvertDemo,
    /// Do not change the table, for this reason.
    Refuse(String),
}

const COLUMN_NAMES: [&str; 7] = [
    "order_id",
    "product_id",
    "quantity",
    "amount",
    "shipping",
    "tax",
    "shipping_address",
];
const COLUMN_TYPES: [&str; 7] = ["int", "int", "int", "decimal", "decimal", "decimal", "varchar"];
const DEMO_COLUMN_TYPES: [&str; 7] = ["int", "int", "int", "float", "float", "float", "varchar"];

/// Plans the migration from the recorded version and the columns of `orders`.
pub fn plan_migration(version: Option<u32>, columns: &[Column]) -> Plan {
    if columns.is_empty() {
        return Plan::Create;
    }
    if version >= Some(ORDERS_VERSION) {
        return Plan::Keep;
    }
    let has_names = columns.iter().map(|column| column.name.as_str()).eq(COLUMN_NAMES);
    let has_types = |types| columns.iter().map(|column| column.kind.as_str()).eq(types);
    let keys: Vec<&str> = columns
        .iter()
        .filter(|column| column.is_key)
        .map(|column| column.name.as_str())
        .collect();
    match keys.as_slice() {
        ["order_id"] if has_names && has_types(COLUMN_TYPES) => Plan::Record,
        [] if has_names && has_types(DEMO_COLUMN_TYPES) => Plan::ConvertDemo,
        _ => Plan::Refuse(
            "the database has a table named orders that neither this service nor the published \
             demo made; rename it or use another database"
                .to_owned(),
        ),
    }
}

/// What prevents the conversion of the published demo's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DemoRows {
    /// Rows in which a value is missing.
    pub with_missing_values: u64,
    /// Rows with an order_id that an earlier row has.
    pub with_repeated_ids: u64,
    /// Rows with an amount, shipping or tax outside of the range of the new columns.
    pub with_money_out_of_range: u64,
}

impl DemoRows {
    /// Why these rows cannot be converted without loss, if so.
    pub fn conversion_error(self) -> Option<String> {
        let found: Vec<String> = [
            (self.with_missing_values, "with a missing value"),
            (self.with_repeated_ids, "with a repeated order_id"),
            (self.with_money_out_of_range, "with money out of range"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        (!found.is_empty()).then(|| {
            format!(
                "the orders table of the published demo cannot be converted without loss; rows: {}; \
                 correct or remove them, then call /init",
                found.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: [&str; 7], types: [&str; 7], key: &str) -> Vec<Column> {
        names
            .into_iter()
            .zip(types)
            .map(|(name, kind)| Column {
                name: name.to_owned(),
                kind: kind.to_owned(),
                is_key: name == key,
            })
            .collect()
    }

    #[test]
    fn plans_by_version_and_form() {
        let current = table(COLUMN_NAMES, COLUMN_TYPES, "order_id");
        let demo = table(COLUMN_NAMES, DEMO_COLUMN_TYPES, "");
        assert_eq!(plan_migration(None, &[]), Plan::Create);
        assert_eq!(plan_migration(Some(2), &[]), Plan::Create);
        assert_eq!(plan_migration(Some(1), &current), Plan::Keep);
        assert_eq!(plan_migration(Some(2), &current), Plan::Keep);
        assert_eq!(plan_migration(None, &current), Plan::Record);
        assert_eq!(plan_migration(None, &demo), Plan::ConvertDemo);
    }

    #[test]
    fn refuses_other_tables() {
        let mut shuffled = COLUMN_NAMES;
        shuffled.swap(0, 1);
        for foreign in [
            table(COLUMN_NAMES, COLUMN_TYPES, ""),
            table(COLUMN_NAMES, DEMO_COLUMN_TYPES, "order_id"),
            table(shuffled, DEMO_COLUMN_TYPES, ""),
            table(COLUMN_NAMES, DEMO_COLUMN_TYPES, "")[..6].to_vec(),
        ] {
            assert!(matches!(plan_migration(None, &foreign), Plan::Refuse(_)), "{foreign:?}");
        }
    }

    #[test]
    fn names_every_obstacle() {
        assert_eq!(DemoRows::default().conversion_error(), None);
        let rows = DemoRows {
            with_missing_values: 1,
            with_repeated_ids: 2,
            with_money_out_of_range: 3,
        };
        let conversion_error = rows.conversion_error().unwrap();
        for part in ["1 with a missing", "2 with a repeated", "3 with money"] {
            assert!(conversion_error.contains(part), "{conversion_error}");
        }
    }
}
