//! Pages of other origins change nothing, whatever they try: a neighbour on another port, another site, and one whose
//! name was made to point here.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use e2e::browser::REBOUND;
use e2e::{eventually, url};

use crate::orders::{browser_with, id, order, stored};

/// An empty page on a port of its own, which it returns.
///
/// Each connection has its own thread: browsers open connections in advance on which they ask nothing.
fn another_server() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4_096]);
                let page = "<!doctype html><title>elsewhere</title>";
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n";
                let _ = write!(stream, "{head}content-length: {}\r\n\r\n{page}", page.len());
            });
        }
    });
    port
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn pages_from_elsewhere_change_nothing() {
    let browser = browser_with(1);
    let port = another_server();
    let service = url("");
    let service = service.trim_end_matches('/');
    let kept = id(1);
    for page in [format!("http://127.0.0.1:{port}/"), format!("http://localhost:{port}/")] {
        browser.visit(&page);
        let body = order(2).to_string();
        // Each goes out without being asked: no preflight stands in the way.
        browser.run(&format!(
            "const done = [];
             const image = (path) => done.push(new Promise((end) => {{
               const image = new Image(); image.onload = image.onerror = end; image.src = '{service}' + path;
             }}));
             const send = (path, options) => done.push(fetch('{service}' + path, {{ mode: 'no-cors', ...options }}).catch(() => 0));
             image('/delete_order?id={kept}');
             image('/init');
             send('/delete_order?id={kept}', {{ method: 'GET' }});
             send('/delete_order?id={kept}', {{ method: 'POST' }});
             send('/create_order', {{ method: 'POST', body: '{body}' }});
             send('/create_order', {{ method: 'POST', body: new Blob(['{body}'], {{ type: 'application/x-www-form-urlencoded' }}) }});
             const frame = document.createElement('iframe'); frame.name = 'frame'; document.body.append(frame);
             const form = document.createElement('form');
             form.method = 'post'; form.target = 'frame'; form.action = '{service}/delete_order?id={kept}';
             document.body.append(form); form.submit();
             done.push(new Promise((end) => {{ frame.onload = end; setTimeout(end, 5000); }}));
             window.isDone = false; Promise.all(done).then(() => {{ window.isDone = true; }});"
        ));
        browser.await_that("window.isDone");
        assert_eq!(stored(1).0, 200, "{page} has removed an order");
        assert_eq!(stored(2).0, 404, "{page} has made an order");
    }
    // The page itself may do both.
    browser.open("/");
    browser.run(&format!("window.status_ = 0; fetch('/orders/{kept}', {{ method: 'DELETE' }}).then((answer) => {{ window.status_ = answer.status; }})"));
    browser.await_that("window.status_ === 204");
    eventually("it is gone", || (stored(1).0 == 404).then_some(()));
}

/// For the browser, a page under such a name is one of the service.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_name_that_was_made_to_point_here_shows_nothing() {
    let browser = browser_with(1);
    let service = url("");
    let port = service.trim_end_matches('/').rsplit(':').next().unwrap();
    browser.visit(&format!("http://{REBOUND}:{port}/orders"));
    browser.await_text("body", "ALLOWED_HOSTS");
}
