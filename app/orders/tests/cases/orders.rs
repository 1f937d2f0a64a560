//! Cases of orders.

use service_tests::case::{case, get, post, step, Case, Needs, Step, DONE};

/// An order in JSON, as it is sent and returned.
fn order(id: &str, amount: &str, address: &str) -> String {
    format!(
        r#"{{"order_id":{id},"product_id":12,"quantity":2,"amount":{amount},"shipping":15,"tax":2.5,"shipping_address":"{address}"}}"#
    )
}

pub fn cases() -> Vec<Case> {
    let first = order("$1", "56.55", "Mataderos 2312");
    let second = order("$2", "56.5", "1234 NW Bobcat");
    let third = order("$3", "0.01", "Rua 7");
    let changed = order("$2", "9999999999.99", "Ünïcode \\\"Street\\\" 😀 \\\\ 1");
    let both = format!("[{first},{second}]");
    vec![
        case(
            "the published demo's walk-through",
            Needs::Nothing,
            [
                get("/init", 200).body(DONE),
                // curl -d sends any body as a form.
                post("/create_orders", &both, 200)
                    .with("content-type", "application/x-www-form-urlencoded")
                    .body(DONE),
                get("/orders?after=$0&limit=2", 200).body(&both),
                post("/update_order", &changed, 200)
                    .with("content-type", "application/x-www-form-urlencoded")
                    .body(DONE),
                get("/orders/$2", 200).body(&changed),
                get("/delete_order?id=$2", 200).body(DONE),
                get("/orders/$2", 404).error("not_found", &[]),
                get("/delete_order?id=$1", 200).body(DONE),
            ],
        ),
        case(
            "plain REST",
            Needs::Nothing,
            [
                post("/orders", &first, 201)
                    .with("content-type", "application/json; charset=utf-8")
                    .header("location", "/orders/$1")
                    .body(DONE),
                post("/orders", &first, 409).error("duplicate_order", &[]),
                get("/orders/$1", 200)
                    .body(&first)
                    .header("content-type", "application/json"),
                step("HEAD", "/orders/$1", "", 200).body(""),
                step("PUT", "/orders/$1", &first, 200).body(DONE),
                step(
                    "PUT",
                    "/orders/$1",
                    r#"{"product_id":1,"quantity":1,"amount":1,"shipping":0,"tax":0,"shipping_address":"x"}"#,
                    200,
                )
                .body(DONE),
                get("/orders/$1", 200).contains(r#""order_id":$1,"product_id":1,"#),
                step("PUT", "/orders/$1", &second, 422).error("invalid_order", &["order_id"]),
                step("DELETE", "/orders/$1", "", 204).body(""),
                step("DELETE", "/orders/$1", "", 404).error("not_found", &[]),
                step("PUT", "/orders/$1", &first, 404).error("not_found", &[]),
                // An id that no order can have is not found.
                get("/orders/0", 404).error("not_found", &[]),
                step(
                    "PUT",
                    "/orders/0",
                    r#"{"product_id":1,"quantity":1,"amount":1,"shipping":0,"tax":0,"shipping_address":"x"}"#,
                    404,
                )
                .error("not_found", &[]),
            ],
        ),
        case(
            "creating is all or nothing",
            Needs::Nothing,
            [
                post("/create_order", &second, 200).body(DONE),
                post("/create_order", &second, 409).contains("$2"),
                post("/create_orders", &both, 409)
                    .error("duplicate_order", &[])
                    .contains("$2"),
                get("/orders/$1", 404),
                post("/create_orders", &format!("[{first},{third}]"), 200).body(DONE),
                post("/create_orders", &both, 409).contains("$1, $2"),
                post("/create_orders", &format!("[{first},{first}]"), 422).error("invalid_order", &["[1].order_id"]),
                get("/delete_order?id=$1", 200),
                step("DELETE", "/delete_order?id=$2", "", 200),
                post("/delete_order?id=$3", "", 200),
            ],
        ),
        case(
            "lists come in pages",
            Needs::Nothing,
            [
                post("/create_orders", &format!("[{third},{second},{first}]"), 200),
                get("/orders?after=$0&limit=1", 200)
                    .body(&format!("[{first}]"))
                    .header("link", "</orders?limit=1&after=$1>; rel=\"next\""),
                get("/orders?limit=1&after=$1", 200).body(&format!("[{second}]")),
                get("/orders?limit=%33&after=$0", 200).body(&format!("[{first},{second},{third}]")),
                get("/orders?limit=1&after=2147483647", 200)
                    .body("[]")
                    .no_header("link"),
                get("/orders?limit=1&after=99999999999999999999", 200).body("[]"),
                get("/orders?limit=1&after=-99999999999999999999", 200),
                get("/orders?limit=0", 400).error("invalid_query", &[]),
                get("/orders?limit=10001", 400).error("invalid_query", &[]),
                get("/orders?limit=ten", 400).error("invalid_query", &[]),
                get("/orders?limit=", 400).error("invalid_query", &[]),
                get("/orders?after=x", 400).error("bad_id", &[]),
                get("/delete_order?id=$1", 200),
                get("/delete_order?id=$2", 200),
                get("/delete_order?id=$3", 200),
            ],
        ),
        case(
            "what is not there cannot be changed",
            Needs::Nothing,
            [
                post("/update_order", &first, 404).error("not_found", &[]),
                get("/delete_order?id=$1", 404).error("not_found", &[]),
                get("/delete_order?id=99999999999999999999", 404).error("not_found", &[]),
                get("/delete_order?id=-5", 404).error("not_found", &[]),
                get("/delete_order", 400).error("missing_id", &[]),
                get("/delete_order?ids=1", 400).error("missing_id", &[]),
                get("/delete_order?id=", 400).error("bad_id", &[]),
                get("/delete_order?id=1%27%20OR%201=1", 400).error("bad_id", &[]),
                get("/orders/one", 400).error("bad_id", &[]),
                get("/orders/%31", 400).error("bad_id", &[]),
            ],
        ),
        case(
            "production_id is another name for product_id",
            Needs::Nothing,
            [
                post("/create_order", &first.replace("product_id", "production_id"), 200),
                get("/orders/$1", 200).body(&first),
                post("/update_order", &first.replace('{', r#"{"production_id":12,"#), 200),
                post("/update_order", &first.replace('{', r#"{"production_id":13,"#), 422)
                    .error("invalid_order", &["product_id"]),
                get("/delete_order?id=$1", 200),
            ],
        ),
        case("every wrong field is told at once", Needs::Nothing, wrong_fields()),
        case("amounts keep their value", Needs::Nothing, amounts()),
        case("addresses keep their characters", Needs::Nothing, addresses()),
        case("bodies that are no orders", Needs::Nothing, no_orders()),
    ]
}

fn wrong_fields() -> Vec<Step> {
    const ALL: [&str; 7] = [
        "order_id",
        "product_id",
        "quantity",
        "amount",
        "shipping",
        "tax",
        "shipping_address",
    ];
    let mut steps: Vec<Step> = [
        "{}",
        r#"{"order_id":0,"product_id":-1,"quantity":2147483648,"amount":-0.01,"shipping":0.001,"tax":1e10,"shipping_address":""}"#,
        r#"{"order_id":"1","product_id":1.5,"quantity":null,"amount":"1","shipping":true,"tax":[],"shipping_address":5}"#,
        r#"{"order_id":1e0,"product_id":-99999999999,"quantity":{},"amount":null,"shipping":{},"tax":"","shipping_address":"a\u0000"}"#,
    ]
    .into_iter()
    .map(|body| post("/create_order", body, 422).error("invalid_order", &ALL))
    .collect();
    let whole = order("$1", "1", "x");
    steps.extend([
        post("/create_order", &whole.replace("15", "1.005"), 422).error("invalid_order", &["shipping"]),
        post("/create_order", &whole.replace('}', r#","tax":3}"#), 422).error("invalid_order", &["tax"]),
        post(
            "/create_orders",
            &format!("[{whole},5,{{}}]").replace("{}", &whole.replace("\"x\"", "\"\"")),
            422,
        )
        .error("invalid_order", &["[1]", "[2].shipping_address"]),
        // Nothing was stored.
        get("/orders/$1", 404),
    ]);
    steps
}

fn amounts() -> Vec<Step> {
    let mut steps = vec![post("/create_order", &order("$1", "1", "x"), 200)];
    for (sent, expected) in [
        ("56", "56"),
        ("56.0", "56"),
        ("56.5", "56.5"),
        ("56.50", "56.5"),
        ("56.55", "56.55"),
        ("5.655e1", "56.55"),
        ("0", "0"),
        ("-0", "0"),
        ("0.1", "0.1"),
        ("0.07", "0.07"),
        ("16777217.01", "16777217.01"),
        ("9999999999.99", "9999999999.99"),
    ] {
        steps.push(post("/update_order", &order("$1", sent, "x"), 200));
        steps.push(get("/orders/$1", 200).body(&order("$1", expected, "x")));
    }
    steps.push(get("/delete_order?id=$1", 200));
    steps
}

fn addresses() -> Vec<Step> {
    let longest = "ß".repeat(256);
    let mut steps = vec![post("/create_order", &order("$1", "1", "x"), 200)];
    for (sent, expected) in [
        ("Zoë's \\\"Bar\\\" \\\\ 5 % _ ; --", "Zoë's \\\"Bar\\\" \\\\ 5 % _ ; --"),
        ("\\u00e9\\ud83d\\ude00\\/", "é😀/"),
        (" trailing ", " trailing "),
        (longest.as_str(), longest.as_str()),
    ] {
        // Once by each way to store an order.
        let many = format!("[{},{}]", order("$2", "1", sent), order("$3", "1", sent));
        steps.extend([
            post("/update_order", &order("$1", "1", sent), 200),
            get("/orders/$1", 200).body(&order("$1", "1", expected)),
            post("/create_orders", &many, 200),
            get("/orders/$3", 200).body(&order("$3", "1", expected)),
            get("/delete_order?id=$2", 200),
            get("/delete_order?id=$3", 200),
        ]);
    }
    // A name that is not valid Unicode is ignored.
    steps.push(post(
        "/update_order",
        &order("$1", "1", "x").replace('{', r#"{"\udc00":0,"#),
        200,
    ));
    for wrong in ["ß".repeat(257).as_str(), "\\ud800", "a\\nb", "a\\u007f", "a\\u0085"] {
        steps.push(post("/update_order", &order("$1", "1", wrong), 422).error("invalid_order", &["shipping_address"]));
    }
    steps.push(get("/delete_order?id=$1", 200));
    steps
}

fn no_orders() -> Vec<Step> {
    let mut steps = Vec::new();
    for body in ["", "{", "nope", "{\"order_id\":1,}", "[1", "\u{feff}{}", "{} {}"] {
        steps.push(post("/create_order", body, 400).error("invalid_json", &[]));
        steps.push(post("/create_orders", body, 400).error("invalid_json", &[]));
    }
    let deep = "[".repeat(100_000);
    steps.extend([
        post("/create_order", &deep, 400).error("invalid_json", &[]),
        post("/create_orders", "[]", 422).error("invalid_order", &[]),
        post("/create_orders", "{}", 422).error("invalid_order", &[]),
        post("/create_orders", &format!("[{}5]", "5,".repeat(10_000)), 422).error("invalid_order", &[]),
        post("/create_order", "{}", 415)
            .with("content-type", "text/plain")
            .error("unsupported_media_type", &[]),
        post("/create_order", "{}", 415)
            .with("content-type", "application/json")
            .with("content-type", "text/plain"),
        post("/update_order", "{}", 415)
            .with("content-type", "application/xml")
            .error("unsupported_media_type", &[]),
        post("/create_order", "{}", 422).with("content-type", "application/vnd.api+json"),
    ]);
    for body in ["[]", "5", "null", "\"x\""] {
        steps.push(post("/create_order", body, 422).error("invalid_order", &["body"]));
    }
    steps
}
