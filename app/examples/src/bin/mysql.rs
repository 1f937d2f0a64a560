//! MySQL by mysql_async: `mysql mysql://user:password@127.0.0.1:3306/orders` makes a table, writes, reads and drops it.

use std::process::ExitCode;

use clients::{argument, report, Problem};
use mysql_async::prelude::Queryable;
use mysql_async::{params, Conn, Opts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    report(use_database().await)
}

async fn use_database() -> Result<(), Problem> {
    let mut connection = Conn::new(Opts::from_url(&argument("a URL of a database")?)?).await?;
    connection
        .query_drop("CREATE TEMPORARY TABLE example (id INT PRIMARY KEY, name VARCHAR(20))")
        .await?;
    let names = [(1, "one"), (2, "two"), (3, "three")];
    let rows = names.map(|(id, name)| params! {"id" => id, "name" => name});
    connection
        .exec_batch("INSERT INTO example VALUES (:id, :name)", rows)
        .await?;
    let rows: Vec<(i32, String)> = connection
        .query("SELECT id, name FROM example WHERE id > 1 ORDER BY id")
        .await?;
    for (id, name) in rows {
        println!("{id} {name}");
    }
    connection.disconnect().await?;
    Ok(())
}
