//! The statements on notes. Values are read by `get_integer` and `get_text`, which return nothing where the driver would panic.

use microservice::database::{
    get_integer, get_text, Connection, DatabaseError, QueryResult, Statement,
};
use mysql_async::prelude::Queryable;
use mysql_async::Row;
use serde::Serialize;

/// A row.
#[derive(Serialize)]
pub struct Note {
    id: u64,
    text: String,
}

/// The last notes, the newest first.
pub struct List;

impl Statement for List {
    type Output = Vec<Note>;

    fn is_retryable(&self) -> bool {
        true
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Vec<Note>> {
        const STATEMENT: &str = "SELECT id, text FROM notes ORDER BY id DESC LIMIT 100";
        let rows: Vec<Row> = connection.query(STATEMENT).await?;
        Ok(rows.iter().map(read_note).collect())
    }
}

/// Adds a note.
pub struct Insert {
    pub text: String,
}

impl Statement for Insert {
    type Output = Note;

    // Sent twice, it would be there twice.
    fn is_retryable(&self) -> bool {
        false
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Note> {
        const STATEMENT: &str = "INSERT INTO notes (text) VALUES (?) RETURNING id, text";
        let row: Option<Row> = connection.exec_first(STATEMENT, (&self.text,)).await?;
        Ok(row.as_ref().map_or(Err(DatabaseError::Internal), read_note))
    }
}

fn read_note(row: &Row) -> Result<Note, DatabaseError> {
    match (get_integer(row, 0), get_text(row, 1)) {
        (Some(id), Some(text)) => Ok(Note {
            id,
            text: text.to_owned(),
        }),
        _ => Err(DatabaseError::Internal),
    }
}
