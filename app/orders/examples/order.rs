//! Reads or writes one order as JSON again and again: what `scripts/bench-order` counts the instructions of.
//! Usage: order read|write TIMES

use std::hint::black_box;

use app::order::read_order;

const ORDER: &[u8] = br#"{"order_id":123456,"product_id":12,"quantity":2,"amount":56.55,"shipping":15.0,"tax":2.0,
    "shipping_address":"Mataderos 2312"}"#;

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, times] = arguments.as_slice() else {
        return Err("usage: order read|write TIMES".to_owned());
    };
    let times: u32 = times.parse().map_err(|error| format!("{times}: {error}"))?;
    let order = read_order(ORDER, None).map_err(|rejection| format!("{rejection:?}"))?;
    let mut text = String::new();
    for _ in 0..times {
        match work.as_str() {
            "read" => {
                black_box(read_order(black_box(ORDER), None).is_ok());
            }
            "write" => {
                text.clear();
                black_box(&order).write_json(&mut text);
                black_box(&text);
            }
            _ => return Err(format!("{work}: neither read nor write")),
        }
    }
    Ok(())
}
