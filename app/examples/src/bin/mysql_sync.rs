//! MySQL by the synchronous mysql crate: `mysql_sync mysql://user:password@127.0.0.1:3306/orders` makes a table,
//! writes, reads and drops it.

use std::process::ExitCode;

use clients::{argument, report, Problem};
use mysql::prelude::Queryable;
use mysql::{params, Conn, Opts, OptsBuilder};

fn main() -> ExitCode {
    report(use_database())
}

fn use_database() -> Result<(), Problem> {
    let options = OptsBuilder::from_opts(Opts::from_url(&argument("a URL of a database")?)?);
    // It would look for a socket of this host first.
    let mut connection = Conn::new(options.prefer_socket(false))?;
    connection.query_drop("CREATE TEMPORARY TABLE example (id INT PRIMARY KEY, name VARCHAR(20))")?;
    let names = [(1, "one"), (2, "two"), (3, "three")];
    let rows = names.map(|(id, name)| params! {"id" => id, "name" => name});
    connection.exec_batch("INSERT INTO example VALUES (:id, :name)", rows)?;
    let rows: Vec<(i32, String)> = connection.query("SELECT id, name FROM example WHERE id > 1 ORDER BY id")?;
    for (id, name) in rows {
        println!("{id} {name}");
    }
    Ok(())
}
