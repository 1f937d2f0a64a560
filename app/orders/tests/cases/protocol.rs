//! Cases of the protocol, independent of orders.

use service_tests::case::{case, get, post, step, Case, Needs, DONE, ORIGIN};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "the routes are listed",
            Needs::Nothing,
            [
                get("/", 200)
                    .contains("/create_orders POST")
                    .header("content-type", "text/plain; charset=utf-8")
                    .header("x-content-type-options", "nosniff"),
                step("HEAD", "/", "", 200).body(""),
            ],
        ),
        case(
            "browsers get the page",
            Needs::Nothing,
            [
                get("/", 200)
                    .with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
                    .header("content-type", "text/html; charset=utf-8")
                    .header("vary", "accept")
                    .contains("<link rel=\"stylesheet\" href=\"page.css\">")
                    .contains("<script src=\"page.js\" defer></script>"),
                get("/", 200).with("accept", "*/*").contains("/echo POST"),
                get("/page.css", 200).header("content-type", "text/css; charset=utf-8"),
                get("/page.js", 200).header("content-type", "text/javascript; charset=utf-8"),
                post("/page.js", "", 405),
                get("/sidecar.js", 200).header("content-type", "text/javascript; charset=utf-8"),
            ],
        ),
        case(
            "echo gives back body and content type",
            Needs::Nothing,
            [
                post("/echo", "hello", 200)
                    .with("content-type", "text/fancy")
                    .body("hello")
                    .header("content-type", "text/fancy")
                    .header("x-content-type-options", "nosniff"),
                post("/echo", "", 200).body("").no_header("content-type"),
            ],
        ),
        case(
            "init is repeatable",
            Needs::Nothing,
            [
                get("/init", 200).body(DONE),
                post("/init", "", 200).body(DONE),
                get("/readyz", 200).body(DONE),
            ],
        ),
        case(
            "events are asked for within limits",
            Needs::Nothing,
            [
                get("/events?limit=0", 400).error("invalid_query", &[]),
                get("/events?limit=1001", 400).error("invalid_query", &[]),
                get("/events?before=-1", 400).error("invalid_query", &[]),
                post("/events", "{}", 405).header("allow", "GET, HEAD, OPTIONS"),
            ],
        ),
        case(
            "unknown paths",
            Needs::Nothing,
            [
                "/nope",
                "/orders/1/2",
                "/orders/",
                "//",
                "/Orders",
                "/init/",
                "/%6frders",
            ]
            .map(|path| get(path, 404).error("not_found", &[])),
        ),
        case(
            "known paths with another method",
            Needs::Nothing,
            [
                get("/echo", 405).header("allow", "POST, OPTIONS"),
                get("/create_order", 405).header("allow", "POST, OPTIONS"),
                get("/create_orders", 405).error("method_not_allowed", &[]),
                get("/update_order", 405).error("method_not_allowed", &[]),
                step("PUT", "/init", "", 405).header("allow", "GET, POST, OPTIONS"),
                step("PUT", "/delete_order", "", 405).header("allow", "GET, POST, DELETE, OPTIONS"),
                step("DELETE", "/orders", "", 405).header("allow", "GET, HEAD, POST, OPTIONS"),
                post("/orders/1", "{}", 405).header("allow", "GET, HEAD, PUT, DELETE, OPTIONS"),
                step("HEAD", "/delete_order?id=$1", "", 405),
                step("PATCH", "/", "", 405),
                step("BREW", "/orders", "", 405),
            ],
        ),
        case(
            "pages of other sites change nothing",
            Needs::Nothing,
            [
                get("/delete_order?id=$1", 403)
                    .with("sec-fetch-site", "cross-site")
                    .error("cross_site", &[]),
                get("/init", 403).with("sec-fetch-site", "cross-site"),
                post("/create_order", "{}", 403)
                    .with("sec-fetch-site", "cross-site")
                    .with("origin", "https://evil.example"),
                step("DELETE", "/orders/$1", "", 403).with("sec-fetch-site", "cross-site"),
                step("DELETE", "/orders/$1", "", 404)
                    .with("host", "localhost")
                    .with("sec-fetch-site", "same-origin"),
                get("/orders/$1", 404)
                    .with("host", "localhost")
                    .with("sec-fetch-site", "cross-site"),
                get("/orders/$1", 404)
                    .with("host", "localhost")
                    .with("origin", "https://evil.example")
                    .no_header("access-control-allow-origin"),
                step("OPTIONS", "/orders/$1", "", 204)
                    .with("host", "localhost")
                    .with("origin", "https://evil.example")
                    .with("access-control-request-method", "DELETE")
                    .header("allow", "GET, HEAD, PUT, DELETE, OPTIONS")
                    .no_header("access-control-allow-origin")
                    .no_header("access-control-allow-methods"),
            ],
        ),
        case(
            "neighbours, rebound names and forms change nothing",
            Needs::Nothing,
            [
                get("/delete_order?id=$1", 403)
                    .with("sec-fetch-site", "same-site")
                    .with("origin", "http://localhost:3000")
                    .error("cross_site", &[]),
                get("/delete_order?id=$1", 403)
                    .with("host", "evil.example")
                    .with("origin", "http://evil.example")
                    .with("sec-fetch-site", "same-origin"),
                get("/orders", 403)
                    .with("host", "evil.example")
                    .with("sec-fetch-site", "same-origin"),
                post("/delete_order?id=$1", "", 403).with("origin", "http://evil.example"),
                post("/create_order", "{}", 403)
                    .with("origin", "http://evil.example")
                    .with("content-type", "application/x-www-form-urlencoded"),
                post("/create_order", "{}", 415)
                    .with("host", "localhost")
                    .with("origin", "http://localhost")
                    .with("content-type", "application/x-www-form-urlencoded")
                    .error("unsupported_media_type", &[]),
                post("/create_order", "{}", 422)
                    .with("host", "localhost")
                    .with("origin", "http://localhost"),
                // An image, from a page without TLS.
                get("/delete_order?id=$1", 403)
                    .with("host", "10.0.0.7:30080")
                    .with("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
                get("/init", 403)
                    .with("sec-fetch-site", "none")
                    .with("host", "localhost"),
                // curl.
                get("/delete_order?id=$1", 404).with("user-agent", "curl/8.14.1"),
                post("/create_order", "{}", 422)
                    .with("content-type", "application/x-www-form-urlencoded")
                    .with("user-agent", "curl/8.14.1"),
            ],
        ),
        case(
            "pages of listed sites are let in",
            Needs::Origin,
            [
                step("OPTIONS", "/create_order", "", 204)
                    .with("origin", ORIGIN)
                    .with("access-control-request-method", "POST")
                    .header("access-control-allow-origin", ORIGIN)
                    .header("access-control-allow-methods", "POST, OPTIONS")
                    .header("vary", "origin"),
                get("/delete_order?id=$1", 404)
                    .with("sec-fetch-site", "cross-site")
                    .with("origin", ORIGIN)
                    .header("access-control-allow-origin", ORIGIN),
                get("/delete_order?id=$1", 403)
                    .with("sec-fetch-site", "cross-site")
                    .with("origin", "https://evil.example")
                    .no_header("access-control-allow-origin")
                    .header("vary", "origin"),
            ],
        ),
        case(
            "health says what runs",
            Needs::Server,
            [get("/healthz", 200)
                .contains("\"instance\":")
                .contains(r#"{"status":true,"version":""#)
                .contains(r#","mode":""#)],
        ),
        case(
            "metrics are there",
            Needs::Server,
            [get("/metrics", 200)
                .header("content-type", "text/plain; version=0.0.4; charset=utf-8")
                .contains("# TYPE orders_request_duration_seconds histogram")
                .contains("orders_database_connections{state=\"idle\"}")
                .contains("process_start_time_seconds 1")
                .contains("orders_build_info{version=")],
        ),
        case(
            "metrics count requests",
            Needs::OneServer,
            [
                get("/nope", 404),
                get("/metrics", 200).contains(r#"orders_requests_total{route="other",method="GET",status="404"}"#),
            ],
        ),
        case(
            "requests have ids",
            Needs::Server,
            [
                get("/healthz", 200)
                    .with("x-request-id", "my-id")
                    .header("x-request-id", "my-id"),
                get("/nope", 404)
                    .with("x-request-id", "my-id")
                    .header("x-request-id", "my-id"),
            ],
        ),
        case(
            "bodies are limited",
            Needs::Server,
            [
                post("/create_order", &" ".repeat(1024 * 1024 + 1), 413).error("too_large", &[]),
                post("/create_order", &" ".repeat(1024 * 1024), 400).error("invalid_json", &[]),
                post("/create_orders", &" ".repeat(8 * 1024 * 1024 + 1), 413).error("too_large", &[]),
                post("/create_orders", &" ".repeat(8 * 1024 * 1024), 400).error("invalid_json", &[]),
            ],
        ),
    ]
}
