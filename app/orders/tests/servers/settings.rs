//! What a server limits or leaves out.

use super::*;

/// Unusual defaults of session variables.
#[test]
fn the_session_sets_what_it_needs() {
    let Some(database) = Database::start("servers_defaults") else {
        return;
    };
    for setting in [
        "autocommit = 0",
        "completion_type = 'CHAIN'",
        "sql_safe_updates = 1",
        "sql_select_limit = 1",
        "tx_read_only = 1",
        "tx_isolation = 'SERIALIZABLE'",
        "time_zone = '+05:30'",
        "sql_mode = 'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE'",
        "sql_mode = ''",
        "unique_checks = 0",
        "character_set_client = latin1",
        "character_set_connection = latin1",
        "character_set_results = latin1",
        "init_connect = 'SET NAMES latin1, autocommit = 0'",
        "sql_big_selects = 0",
        "max_join_size = 1",
        "max_statement_time = 0.001",
        "wait_timeout = 1",
        "lock_wait_timeout = 1",
        "idle_transaction_timeout = 1",
        "session_track_system_variables = '*'",
        "session_track_state_change = 1",
        "session_track_transaction_info = 'CHARACTERISTICS'",
        "auto_increment_increment = 7",
        "innodb_snapshot_isolation = 0",
        "default_storage_engine = 'Aria'",
        "collation_connection = 'utf8mb4_bin'",
        "lc_messages = 'de_DE'",
        "group_concat_max_len = 4",
        "max_sort_length = 64",
        "alter_algorithm = 'INSTANT'",
        "net_read_timeout = 1",
        "net_write_timeout = 1",
        "max_error_count = 0",
        "sql_auto_is_null = 1",
        "old_mode = ''",
        "character_set_server = utf16",
        "optimizer_switch = 'derived_merge=off,materialization=off,semijoin=off'",
        "div_precision_increment = 0",
        "low_priority_updates = 1",
        "join_cache_level = 0",
        "innodb_strict_mode = 0",
        "query_cache_type = 1",
    ] {
        database
            .administer("DROP DATABASE IF EXISTS orders; CREATE DATABASE orders")
            .unwrap();
        database.administer(&format!("SET GLOBAL {setting}")).unwrap();
        let native = start_native(&database.url("orders"));
        native.await_ready();
        let address = "S\u{fc}d \\\\ \u{1f6a3} 'x'";
        for id in 1..=3 {
            assert_eq!(create(&native, id, address).status, 200, "{setting}");
        }
        assert_eq!(create(&native, 1, address).status, 409, "{setting}");
        let many = native.send(&orders(10, 2_000, address));
        assert_eq!(many.status, 200, "{setting}: {many:?}");
        // Another session sees the committed row with the same characters.
        let expected = hex("S\u{fc}d \\ \u{1f6a3} 'x'");
        let condition = format!("HEX(CONVERT(shipping_address USING utf8mb4)) = '{expected}'");
        assert_eq!(count(&database, &condition), 2_003, "{setting}");
        let listed: serde_json::Value = serde_json::from_str(&native.get("/orders?limit=10000").body).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), 2_003, "{setting}");
        assert_eq!(listed[0]["shipping_address"], "S\u{fc}d \\ \u{1f6a3} 'x'", "{setting}");
        assert_eq!(native.get("/delete_order?id=1").status, 200, "{setting}");
        assert_eq!(count(&database, "order_id = 1"), 0, "{setting}");
        let open = database
            .administer(
                "SET sql_big_selects = 1, max_statement_time = 0; SELECT COUNT(*) FROM information_schema.innodb_trx",
            )
            .unwrap();
        assert!(open.ends_with('0'), "{setting}: transactions are left open: {open}");
        let name = setting.split(' ').next().unwrap();
        let default = if name == "init_connect" { "''" } else { "DEFAULT" };
        database.administer(&format!("SET GLOBAL {name} = {default}")).unwrap();
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn a_server_that_ignores_the_clients_characters_keeps_them() {
    let Some(database) = Database::start("servers_characters") else {
        return;
    };
    database
        .administer("SET GLOBAL character_set_server = latin1; SET GLOBAL collation_server = latin1_swedish_ci")
        .unwrap();
    database
        .administer("DROP DATABASE orders; CREATE DATABASE orders CHARACTER SET latin1")
        .unwrap();
    let native = start_native(&database.url("orders"));
    native.await_ready();
    assert_eq!(create(&native, 1, "\u{1f6a3} S\u{fc}d").status, 200);
    assert_eq!(native.send(&orders(2, 1_000, "\u{1f6a3} S\u{fc}d")).status, 200);
    let expected = hex("\u{1f6a3} S\u{fc}d");
    assert_eq!(
        count(&database, &format!("HEX(shipping_address) = '{expected}'")),
        1_001
    );
}

/// A request that is larger than `max_allowed_packet` is stored in batches, or rejected.
#[test]
fn packets_of_the_server_limit_nothing_but_one_order() {
    let Some(database) = Database::start("servers_packets") else {
        return;
    };
    for (packet, one) in [(1_048_576, 200), (16_384, 200), (1_024, 413)] {
        database
            .administer(&format!("SET GLOBAL max_allowed_packet = {packet}"))
            .unwrap();
        let native = start_native(&database.url("orders"));
        native.await_ready();
        if packet > 1_024 {
            let many = native.send(&orders(packet, 5_000, &"x".repeat(200)));
            assert_eq!(many.status, 200, "{packet}: {many:?}");
            assert_eq!(
                count(
                    &database,
                    &format!("order_id >= {packet} AND order_id < {packet} + 5000")
                ),
                5_000
            );
            let again = native.send(&orders(packet + 4_990, 5_000, "again"));
            assert_eq!(again.error_code().as_deref(), Some("duplicate_order"), "{again:?}");
            assert_eq!(count(&database, "shipping_address = 'again'"), 0, "all or nothing");
        }
        let largest = create(&native, packet + 100_000, &"\u{1f6a3}".repeat(256));
        assert_eq!(largest.status, one, "{packet}: {largest:?}");
        if one == 413 {
            assert_eq!(largest.error_code().as_deref(), Some("too_large"));
            assert_eq!(largest.header("retry-after"), None);
        }
        assert_eq!(create(&native, packet + 200_000, "x").status, 200, "{packet}");
    }
}

/// Statements with many sequence numbers stay within `max_allowed_packet`.
#[test]
fn packets_of_the_server_limit_no_event() {
    let Some(database) = Database::start("servers_event_packets") else {
        return;
    };
    let receiver = Receiver::start();
    receiver.plan_for(1_000_000..1_000_050, Some(Behavior::Respond(422)));
    let url = database.url("orders");
    let variables = [("DATABASE_URL", url.as_str()), ("EVENTS_URL", receiver.url.as_str())];
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    drop(native);
    let rows = |first: i32, count: i32| {
        format!(
            "INSERT INTO orders_outbox (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
             SELECT 'created', {first} + seq, 1, 1, 1, 1, 1, 'x' FROM seq_0_to_{} ",
            count - 1
        )
    };
    database.query(
        "orders",
        "ALTER TABLE orders_outbox AUTO_INCREMENT = 1000000000000000000",
    );
    database.query("orders", &rows(1_000_000, 50));
    database.query("orders", &rows(2_000_000, 600));
    database.administer("SET GLOBAL max_allowed_packet = 1024").unwrap();
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    await_that("all are delivered or set aside", || {
        let left = database
            .administer("SELECT COUNT(*) FROM orders.orders_outbox")
            .unwrap();
        left.ends_with("\n0")
    });
    assert!(receiver.distinct().len() == 650, "{}", receiver.distinct().len());
    let answer = native.get("/dead_letters");
    assert_eq!(answer.body.matches("event_id").count(), 50, "{answer:?}");
    receiver.plan_for(1_000_000..1_000_050, None);
    await_that("they are sent again", || {
        assert_eq!(native.send(&Request::new("POST", "/dead_letters")).status, 200);
        native.get("/dead_letters").body.matches("event_id").count() == 0
    });
}
