//! The trace context of a request is that of the events of its changes, and of no others.

use std::collections::BTreeMap;

use service_tests::await_that;
use service_tests::http::Request;
use service_tests::native_process::NativeProcess;

use crate::support::receiver::{Behavior, Receiver};
use crate::support::ORDERS;
use crate::{
    count_waiting_events, list_dead_letters, order_json, send_request, send_traced_request,
    start_database_and_receiver, start_service, start_signing_service, traceparent, SECRET,
};

/// All requests take the same connection to the database.
fn start_with_one_connection(database_url: &str, receiver: &Receiver) -> NativeProcess {
    let variables = [
        ("DATABASE_URL", database_url),
        ("DATABASE_POOL_MIN", "1"),
        ("DATABASE_POOL_MAX", "1"),
        ("EVENTS_URL", &receiver.url),
    ];
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    native
}

/// The attribute `traceparent` of each event of an order, without duplicates.
fn traces_of(receiver: &Receiver, order_id: i32) -> Vec<Option<String>> {
    let events = receiver.distinct().into_iter();
    events
        .filter(|event| event["subject"].as_str() == Some(order_id.to_string().as_str()))
        .map(|event| event["traceparent"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn the_trace_of_a_request_is_that_of_its_events_and_of_no_others() {
    let name = "events_trace";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_with_one_connection(&url, &receiver);
    let traced = |number: u32, method: &str, target: &str, body: &str| {
        send_traced_request(&native, method, target, body, &traceparent(number))
    };
    assert_eq!(traced(1, "POST", "/create_order", &order_json(1, 1)), 200);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(2, 1)), 200);
    let several = |ids: [i32; 2]| format!("[{},{}]", order_json(ids[0], 1), order_json(ids[1], 1));
    assert_eq!(traced(2, "POST", "/create_orders", &several([3, 4])), 200);
    assert_eq!(send_request(&native, "PUT", "/orders/1", &order_json(1, 2)), 200);
    assert_eq!(traced(3, "POST", "/update_order", &order_json(1, 3)), 200);
    assert_eq!(send_request(&native, "POST", "/create_orders", &several([5, 6])), 200);
    assert_eq!(traced(4, "DELETE", "/orders/1", ""), 204);
    assert_eq!(send_request(&native, "DELETE", "/delete_order?id=2", ""), 200);
    // None of the traced ones changes anything.
    assert_eq!(traced(5, "POST", "/create_order", &order_json(3, 1)), 409);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(7, 1)), 200);
    assert_eq!(traced(6, "POST", "/create_orders", &several([8, 3])), 409);
    assert_eq!(send_request(&native, "PUT", "/orders/7", &order_json(7, 2)), 200);
    assert_eq!(traced(7, "PUT", "/orders/99", &order_json(99, 2)), 404);
    assert_eq!(send_request(&native, "PUT", "/orders/7", &order_json(7, 3)), 200);
    assert_eq!(traced(8, "DELETE", "/orders/99", ""), 404);
    assert_eq!(send_request(&native, "DELETE", "/orders/7", ""), 204);

    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
    let trace = |number| Some(traceparent(number));
    for (order_id, expected) in [
        (1, vec![trace(1), None, trace(3), trace(4)]),
        (2, vec![None, None]),
        (3, vec![trace(2)]),
        (4, vec![trace(2)]),
        (5, vec![None]),
        (6, vec![None]),
        (7, vec![None; 4]),
    ] {
        assert_eq!(traces_of(&receiver, order_id), expected, "{order_id}");
    }
    for request in receiver.requests() {
        let [event] = request.events.as_slice() else {
            panic!("{request:?}")
        };
        assert_eq!(event["traceparent"].as_str(), request.traceparent.as_deref());
        assert!(request.tracestate.is_none() && event.get("tracestate").is_none());
    }
}

/// More orders than one statement takes.
#[test]
fn every_order_of_a_large_batch_has_its_trace() {
    let name = "events_trace_large";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_with_one_connection(&url, &receiver);
    receiver.plan(&[], Some(Behavior::Hang));
    let orders: Vec<String> = (1..=3_000).map(|id| order_json(id, 1)).collect();
    let orders = format!("[{}]", orders.join(","));
    assert_eq!(
        send_traced_request(&native, "POST", "/create_orders", &orders, &traceparent(1)),
        200
    );
    let with_trace = format!("SELECT COUNT(*) FROM orders_outbox WHERE trace = '{}'", traceparent(1));
    let count = database.query(name, &with_trace).remove(0).take::<i64, _>(0);
    assert_eq!(count, Some(3_000));
}

#[test]
fn events_of_a_batch_have_a_trace_each_and_their_request_none() {
    let name = "events_trace_batch";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.sign_responses(SECRET);
    receiver.plan(&[Behavior::Slow], None);
    let native = start_signing_service(&url, &receiver.url);
    native.await_ready();
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(1, 1)), 200);
    await_that("it is under way", || !receiver.requests().is_empty());
    for id in 2..=4_u32 {
        let order = order_json(i32::try_from(id).unwrap(), 1);
        assert_eq!(
            send_traced_request(&native, "POST", "/create_order", &order, &traceparent(id)),
            200
        );
    }
    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
    assert_eq!(traces_of(&receiver, 1), [None]);
    for id in 2..=4_u32 {
        assert_eq!(
            traces_of(&receiver, i32::try_from(id).unwrap()),
            [Some(traceparent(id))]
        );
    }
    let batches: Vec<_> = receiver
        .requests()
        .into_iter()
        .filter(|request| request.events.len() > 1)
        .collect();
    assert!(!batches.is_empty());
    assert!(
        batches.iter().all(|request| request.traceparent.is_none()),
        "{batches:?}"
    );
}

#[test]
fn hostile_traces_change_nothing() {
    let name = "events_trace_hostile";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_with_one_connection(&url, &receiver);
    let parent = traceparent(1);
    let long = "a".repeat(10_000);
    let too_long = format!("a={}", "b".repeat(511));
    let longest = format!("a={}", "b".repeat(510));
    let quotes = r#"a='); DELETE FROM orders; -- "},b={\u0041\"#;
    let mut expected = BTreeMap::new();
    for (index, (traceparent, tracestate, expected_parent, expected_state)) in [
        (parent.as_str(), quotes, true, Some(quotes)),
        (&parent, &longest, true, Some(longest.as_str())),
        (&parent, &too_long, true, None),
        (&parent, &long, true, None),
        (&parent, "ä=ö", true, None),
        (&parent, "a", true, None),
        ("'; DROP TABLE orders; -- ", "a=1", false, None),
        (r#"","data":{},"x":""#, "a=1", false, None),
        (&long, "a=1", false, None),
        (&format!("{parent}-{long}"), "a=1", false, None),
        (&parent.replace("4bf", "äf"), "a=1", false, None),
        (&parent.replace("4bf", "4BF"), "a=1", false, None),
        (&parent.replace("-00f", "'00f"), "a=1", false, None),
        ("", "a=1", false, None),
    ]
    .into_iter()
    .enumerate()
    {
        let id = i32::try_from(index).unwrap() + 1;
        let request = Request::new("POST", "/orders")
            .header("traceparent", traceparent)
            .header("tracestate", tracestate);
        let response = native.send(&request.with_body(&order_json(id, 1)));
        assert_eq!(response.status, 201, "{traceparent}: {response:?}");
        expected.insert(id, (expected_parent, expected_state.map(str::to_owned)));
    }
    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
    for (id, (is_traced, tracestate)) in &expected {
        let subject = id.to_string();
        let requests = receiver.requests();
        let request = requests.iter().find(|request| request.events[0]["subject"] == subject);
        let request = request.unwrap();
        let traceparent = is_traced.then_some(parent.as_str());
        assert_eq!(request.events[0]["traceparent"].as_str(), traceparent, "{request:?}");
        assert_eq!(request.events[0]["tracestate"].as_str(), tracestate.as_deref());
        assert_eq!(request.events[0]["data"]["order_id"], *id);
        assert_eq!(request.traceparent.as_deref(), traceparent);
        assert_eq!(&request.tracestate, tracestate);
    }
    assert_eq!(list_dead_letters(&native).len(), 0);
}

#[test]
fn a_dead_letter_that_is_sent_again_has_its_trace() {
    let name = "events_trace_letters";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.plan_for([1, 2], Some(Behavior::Respond(422)));
    let native = start_service(&url, &receiver.url);
    assert_eq!(
        send_traced_request(&native, "POST", "/create_order", &order_json(1, 1), &traceparent(1)),
        200
    );
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(2, 1)), 200);
    await_that("they are set aside", || list_dead_letters(&native).len() == 2);
    receiver.plan_for([1, 2], None);
    let before = receiver.requests().len();
    assert_eq!(send_request(&native, "POST", "/dead_letters", ""), 200);
    await_that("they are delivered", || count_waiting_events(&database, name) == 0);
    let again = receiver.requests().split_off(before);
    assert_eq!(again.len(), 2, "{again:?}");
    for request in again {
        let is_traced = request.events[0]["subject"] == "1";
        let expected = is_traced.then(|| traceparent(1));
        assert_eq!(request.events[0]["traceparent"].as_str(), expected.as_deref());
        assert_eq!(request.traceparent, expected);
    }
}
