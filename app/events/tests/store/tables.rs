//! How tables are made and repaired.

use super::*;

#[test]
fn replicas_that_start_together_make_the_tables_once() {
    let name = "store_replicas";
    let Some((database, url)) = database(name) else {
        return;
    };
    let processes: Vec<NativeProcess> = (0..4).map(|_| start_native(&url)).collect();
    processes.iter().for_each(NativeProcess::await_ready);
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM events_schema"), 1);
    let lines = processes.iter().flat_map(NativeProcess::log);
    let made = lines.filter(|line| line.contains("the tables are now at version"));
    assert_eq!(made.count(), 1);
}

#[test]
fn tables_that_were_cut_off_or_vanish_come_back() {
    let name = "store_vanished";
    let Some((database, url)) = database(name) else {
        return;
    };
    let native = ready_native(&url);
    assert!(store(&native, &event("1", "kept")));
    database.query(name, "DELETE FROM events_schema");
    native.await_ready();
    assert_eq!(list(&native, "/events")["total"], 1);

    database.query(name, "DROP TABLE events");
    let refused = native.send(&post(&event("2", "lost")));
    assert_eq!(refused.error_code().as_deref(), Some("database_unavailable"));
    await_that("the tables are back", || {
        native.send(&post(&event("3", "kept"))).status == 200
    });
    let page = list(&native, "/events");
    assert_eq!(
        (&page["total"], page["events"].as_array().unwrap().len()),
        (&1.into(), 1)
    );
}

#[test]
fn a_foreign_table_is_refused_and_kept() {
    let name = "store_foreign";
    let Some((database, url)) = database(name) else {
        return;
    };
    database.query(name, "CREATE TABLE events (id INT PRIMARY KEY, note TEXT)");
    database.query(name, "INSERT INTO events VALUES (1, 'mine')");
    let native = start_native(&url);
    await_that("readiness explains the refusal", || {
        native.get("/readyz").body.contains("a table named events")
    });
    assert_eq!(native.send(&post(&event("1", "a"))).status, 503);
    assert_eq!(native.get("/healthz").status, 200);
    assert_eq!(
        count(&database, name, "SELECT COUNT(*) FROM events WHERE note = 'mine'"),
        1
    );
}

#[test]
fn a_database_that_forbids_triggers_is_told_apart() {
    let name = "store_forbidden";
    let Some((database, url)) = database(name) else {
        return;
    };
    let user = "CREATE USER store_forbidden IDENTIFIED BY 'secret'; \
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER ON store_forbidden.* TO store_forbidden";
    database.administer(user).unwrap();
    let url = url.replace("orders:secret@", "store_forbidden:secret@");
    let native = start_native(&url);
    await_that("the reason is told", || {
        native.get("/readyz").body.contains("grant TRIGGER")
    });
    database
        .administer("GRANT TRIGGER ON store_forbidden.* TO store_forbidden")
        .unwrap();
    native.await_ready();
    assert!(store(&native, &event("1", "a")));
}

#[test]
fn the_process_fails_when_it_cannot_start() {
    let output = std::process::Command::new(EVENTS.program).env_clear().output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(
        log.contains("DATABASE_HOST is missing") && log.contains("DATABASE_NAME is missing"),
        "{log}"
    );
}

/// The table of counts was dropped: without it no event could be stored.
#[test]
fn counts_that_are_gone_come_back() {
    let name = "store_counts_gone";
    let Some((database, url)) = database(name) else {
        return;
    };
    let native = ready_native(&url);
    for id in ["1", "2"] {
        assert!(store(&native, &event(id, "order.created")));
    }
    database.query(name, "DROP TABLE events_counts");
    await_that("events are stored again", || {
        native.send(&post(&event("3", "order.created"))).status == 200
    });
    let page = list(&native, "/events");
    assert_eq!(page["total"], 3);
    assert_eq!(page["counts"], serde_json::json!({"order.created": 3}));
}

/// As after a backup without triggers was restored.
#[test]
fn triggers_that_are_gone_come_back_and_events_are_counted_again() {
    for trigger in ["events_counted", "events_uncounted"] {
        let name = format!("store_{trigger}");
        let Some((database, url)) = database(&name) else {
            return;
        };
        let native = ready_native(&url);
        for id in ["1", "2"] {
            assert!(store(&native, &event(id, "order.created")));
        }
        // Ended first: a probe that came before it was ready may still have it look at the tables once more.
        drop(native);
        database.query(&name, &format!("DROP TRIGGER {trigger}"));
        let third = "INSERT INTO events (source, id, type, event) SELECT source, '3', type, event FROM events WHERE position = 2";
        database.query(&name, third);
        database.query(&name, "DELETE FROM events WHERE position = 1");
        let native = ready_native(&url);
        await_that("the tables are repaired", || {
            native
                .log()
                .iter()
                .any(|line| line.contains("CreateTrigger, CountAgain"))
        });
        assert!(store(&native, &event("4", "order.created")));
        database.query(&name, "DELETE FROM events WHERE position = 2");
        let page = list(&native, "/events");
        assert_eq!(page["total"], 2, "{trigger}");
        assert_eq!(page["counts"], serde_json::json!({"order.created": 2}), "{trigger}");
    }
}

/// As where an administrator has made the triggers.
#[test]
fn triggers_that_a_user_cannot_see_are_left_as_they_are() {
    let name = "store_unseen";
    let Some((database, url)) = database(name) else {
        return;
    };
    assert!(store(&ready_native(&url), &event("1", "a")));
    let user = "CREATE USER store_unseen IDENTIFIED BY 'secret'; \
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER ON store_unseen.* TO store_unseen";
    database.administer(user).unwrap();
    let native = ready_native(&url.replace("orders:secret@", "store_unseen:secret@"));
    assert!(store(&native, &event("2", "a")));
    assert_eq!(list(&native, "/events")["total"], 2);
}
