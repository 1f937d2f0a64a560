//! The tables: each file of migrations/ is applied once, in order, by one replica at a time.
//!
//! MariaDB commits each CREATE and ALTER by itself, so a migration may be cut off before it is recorded, and tables that are
//! gone are made again by all files: write statements that can be repeated (`IF NOT EXISTS`). The version before goes on while a
//! new one is rolled out, and comes back with `deploy-tool rollback`: add columns and tables, and take away only what no version
//! uses any more.

use microservice::database::{QueryResult, Tables};
use mysql_async::prelude::Queryable;
use mysql_async::Conn;

/// All files of migrations/, by the numbers of their names: the versions of the tables.
const MIGRATIONS: &[(u32, &str)] = &[(1, include_str!("../migrations/0001_notes.sql"))];

/// The tables of this service.
pub struct NoteTables;

impl Tables for NoteTables {
    const SCHEMA: &'static str = "notes_schema";
    const NAMES: &'static [&'static str] = &["notes"];
    // One that is gone, since somebody dropped it or a backup lacked it, is made again: by all files.
    const REQUIRED: &'static [&'static str] = Self::NAMES;

    fn version(&self) -> u32 {
        MIGRATIONS.last().map_or(0, |(number, _)| *number)
    }

    async fn migrate(
        &self,
        connection: &mut Conn,
        version: Option<u32>,
    ) -> QueryResult<Option<String>> {
        let mut applied = Vec::new();
        let missing = |(number, _): &&(u32, &str)| Some(*number) > version;
        for (number, statements) in MIGRATIONS.iter().filter(missing) {
            connection.query_drop(*statements).await?;
            applied.push(number.to_string());
        }
        // For the log.
        Ok(Ok((!applied.is_empty()).then(|| applied.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let listed = MIGRATIONS
            .iter()
            .map(|(number, text)| (*number, (*text).to_owned()));
        let found = files.iter().map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let number = name.split('_').next().unwrap().parse().unwrap();
            (number, std::fs::read_to_string(path).unwrap())
        });
        assert!(listed.eq(found), "{files:?}");
    }

    #[test]
    fn every_table_is_listed() {
        for (_, text) in MIGRATIONS {
            for statement in text.split("CREATE TABLE IF NOT EXISTS ").skip(1) {
                let name = statement.split([' ', '(', '\n']).next().unwrap();
                assert!(
                    NoteTables::REQUIRED.contains(&name.trim_matches('`')),
                    "{name}"
                );
            }
        }
    }
}
