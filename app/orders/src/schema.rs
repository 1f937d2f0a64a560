//! Which tables the service needs, and what to do with the ones it finds.
//!
//! Migrations go forward only and never drop a row. Data definition statements commit by themselves
//! in MariaDB, so a migration may be cut off between its statement and the record of its version:
//! the plan therefore looks at the table's form, not at the recorded version alone.

/// The version from which the table of orders has its form.
pub const ORDERS_VERSION: u32 = 1;
/// The version from which changes can be announced: an outbox, and triggers that fill it.
pub const OUTBOX_VERSION: u32 = 2;
/// The version from which events that the receiver refuses are set aside.
pub const DEAD_LETTERS_VERSION: u32 = 3;

/// One column of a table that was found.
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
    /// Nothing. Also when a newer build has been here: it keeps what older ones need, since both
    /// serve side by side during a rollout.
    Keep,
    /// Create the table of orders.
    Create,
    /// Record the version of a table that has the right form already.
    Record,
    /// Convert the table that the published demo makes, provided its rows allow it.
    ConvertDemo,
    /// Leave the table alone and explain why.
    Refuse(String),
}

const NAMES: [&str; 7] = [
    "order_id",
    "product_id",
    "quantity",
    "amount",
    "shipping",
    "tax",
    "shipping_address",
];
const KINDS: [&str; 7] = ["int", "int", "int", "decimal", "decimal", "decimal", "varchar"];
const DEMO_KINDS: [&str; 7] = ["int", "int", "int", "float", "float", "float", "varchar"];

/// Decides what to do with the tables found: the recorded version and the columns of `orders`.
pub fn plan(version: Option<u32>, columns: &[Column]) -> Plan {
    if columns.is_empty() {
        return Plan::Create;
    }
    if version >= Some(ORDERS_VERSION) {
        return Plan::Keep;
    }
    let has_names = columns.iter().map(|column| column.name.as_str()).eq(NAMES);
    let has_kinds = |kinds| columns.iter().map(|column| column.kind.as_str()).eq(kinds);
    let keys: Vec<&str> = columns
        .iter()
        .filter(|column| column.is_key)
        .map(|column| column.name.as_str())
        .collect();
    match keys.as_slice() {
        ["order_id"] if has_names && has_kinds(KINDS) => Plan::Record,
        [] if has_names && has_kinds(DEMO_KINDS) => Plan::ConvertDemo,
        _ => Plan::Refuse(
            "the database has a table named orders that neither this service nor the published \
             demo made; rename it or use another database"
                .to_owned(),
        ),
    }
}

/// What the rows of the published demo's table hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DemoRows {
    /// Rows in which a value is missing.
    pub with_missing_values: u64,
    /// Rows whose order_id another row has too, counted without the first of each.
    pub with_repeated_ids: u64,
    /// Rows with an amount, shipping or tax outside of what the new columns hold.
    pub with_money_out_of_range: u64,
}

impl DemoRows {
    /// Why these rows cannot be converted without losing something, if so.
    pub fn obstacle(self) -> Option<String> {
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

    fn table(names: [&str; 7], kinds: [&str; 7], key: &str) -> Vec<Column> {
        names
            .into_iter()
            .zip(kinds)
            .map(|(name, kind)| Column {
                name: name.to_owned(),
                kind: kind.to_owned(),
                is_key: name == key,
            })
            .collect()
    }

    #[test]
    fn plans_by_version_and_form() {
        let current = table(NAMES, KINDS, "order_id");
        let demo = table(NAMES, DEMO_KINDS, "");
        assert_eq!(plan(None, &[]), Plan::Create);
        assert_eq!(plan(Some(2), &[]), Plan::Create);
        assert_eq!(plan(Some(1), &current), Plan::Keep);
        assert_eq!(plan(Some(2), &current), Plan::Keep);
        assert_eq!(plan(None, &current), Plan::Record);
        assert_eq!(plan(None, &demo), Plan::ConvertDemo);
    }

    #[test]
    fn refuses_other_tables() {
        let mut shuffled = NAMES;
        shuffled.swap(0, 1);
        for foreign in [
            table(NAMES, KINDS, ""),
            table(NAMES, DEMO_KINDS, "order_id"),
            table(shuffled, DEMO_KINDS, ""),
            table(NAMES, DEMO_KINDS, "")[..6].to_vec(),
        ] {
            assert!(matches!(plan(None, &foreign), Plan::Refuse(_)), "{foreign:?}");
        }
    }

    #[test]
    fn names_every_obstacle() {
        assert_eq!(DemoRows::default().obstacle(), None);
        let rows = DemoRows {
            with_missing_values: 1,
            with_repeated_ids: 2,
            with_money_out_of_range: 3,
        };
        let obstacle = rows.obstacle().unwrap();
        for part in ["1 with a missing", "2 with a repeated", "3 with money"] {
            assert!(obstacle.contains(part), "{obstacle}");
        }
    }
}
