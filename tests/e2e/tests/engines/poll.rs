//! Waiting for events under the two engines: patch 0006 of the tuned one.
//! <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#poll_oneoff>

use e2e::eventually;

use crate::node::{Node, STOCK};

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;
const READ: u8 = 1;
const WRITE: u8 = 2;
/// Errors of WASI.
const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;

const MILLISECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600_000 * MILLISECOND;

/// A subscription of a clock.
fn clock(id: u32, timeout: u64, absolute: bool) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[16..20].copy_from_slice(&id.to_le_bytes());
    bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
    bytes[40] = u8::from(absolute);
    bytes
}

/// A subscription of a descriptor.
fn descriptor(kind: u8, number: u32) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[8] = kind;
    bytes[16..20].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// A guest that waits once: `$error` is what the wait returned, and the events are at 1024, how many at 2048, the time
/// before at 4096 and that after at 4104.
fn waits(subscriptions: &[[u8; 48]], length: usize, code: &str) -> String {
    let bytes: String = subscriptions
        .concat()
        .iter()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_create_directory" (func $create (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "{bytes}")
            (data (i32.const 3072) "begun")
            (func (export "_start") (local $error i32)
                (drop (call $create (i32.const 3) (i32.const 3072) (i32.const 5)))
                (drop (call $time (i32.const 1) (i64.const 0) (i32.const 4096)))
                (local.set $error
                    (call $poll (i32.const 0) (i32.const 1024) (i32.const {length}) (i32.const 2048)))
                (drop (call $time (i32.const 1) (i64.const 0) (i32.const 4104)))
                (call $exit {code})))"#
    )
}

/// The number of events times 64, and the error of the first; or, where the wait itself failed, its error from 255 down.
const WHAT_CAME: &str = "(select
    (i32.add (i32.mul (i32.load (i32.const 2048)) (i32.const 64)) (i32.load16_u (i32.const 1032)))
    (i32.sub (i32.const 255) (local.get $error))
    (i32.eqz (local.get $error)))";

/// Whether the wait took 50 ms.
const LONG_ENOUGH: &str =
    "(i64.ge_u (i64.sub (i64.load (i32.const 4104)) (i64.load (i32.const 4096))) (i64.const 50000000))";

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn a_guest_hears_of_what_it_waits_for() {
    let node = Node::start();
    let tuned = node.tuned();
    let came = |events: u32, error: u32| events * 64 + error;
    let failed = |error: u32| 255 - error;
    let (out, soon) = (descriptor(WRITE, 1), clock(MONOTONIC, 50 * MILLISECOND, false));
    let (never, past) = (clock(MONOTONIC, HOUR, false), clock(REALTIME, 1, true));
    let unknown = descriptor(READ, 77);
    for (what, subscriptions, length, code) in [
        ("nothing", &[][..], 0, failed(INVAL)),
        ("more than fits into its memory", &[out], 2000, failed(FAULT)),
        ("more than fits into any memory", &[out], 0x7fff_ffff, failed(FAULT)),
        ("an unknown descriptor", &[unknown], 1, came(1, BADF)),
        (
            "the same, to read and to write",
            &[unknown, descriptor(WRITE, 77)],
            2,
            came(1, BADF),
        ),
        ("an unknown clock", &[clock(9, 1, false)], 1, came(1, INVAL)),
        ("an unknown event", &[descriptor(7, 1)], 1, came(1, INVAL)),
        (
            "an unknown event, then one of that descriptor",
            &[descriptor(7, 1), out],
            2,
            came(1, INVAL),
        ),
        ("an unknown descriptor or an hour", &[never, unknown], 2, came(1, BADF)),
        ("what can be written to", &[out], 1, came(1, 0)),
        ("the same twice, with others between", &[out, never, out], 3, came(2, 0)),
        ("what can be read", &[descriptor(READ, 0), never], 2, came(1, 0)),
        ("a time that was", &[past, never], 2, came(1, 0)),
        ("an instant", &[clock(MONOTONIC, 0, false)], 1, came(1, 0)),
        ("a moment", &[soon, never], 2, came(1, 0)),
        (
            "a moment, or forever",
            &[clock(REALTIME, u64::MAX, false), soon],
            2,
            came(1, 0),
        ),
    ] {
        let (found, printed) = node.run(&tuned, &waits(subscriptions, length, WHAT_CAME));
        assert_eq!(
            u32::try_from(found),
            Ok(code),
            "a guest that waits for {what}: {printed}"
        );
    }

    let kind_and_user = "(i32.add (i32.load8_u (i32.const 1034)) (i32.load (i32.const 1024)))";
    let mut marked = out;
    marked[0] = 40;
    for (what, guest, code) in [
        ("as long as it asked", waits(&[soon, never], 2, LONG_ENOUGH), 1),
        (
            "for the event it named",
            waits(&[never, marked], 2, kind_and_user),
            40 + i32::from(WRITE),
        ),
    ] {
        assert_eq!(node.run(&tuned, &guest).0, code, "a guest waits {what}");
    }
}

/// The first event is written over the first subscription, which then looks like one of the second's descriptor.
#[test]
#[ignore = "needs Docker and the images of the tests"]
fn a_guest_that_has_its_events_written_over_its_subscriptions_harms_itself_alone() {
    let node = Node::start();
    let mut refused = clock(9, 1, false);
    refused[0] = READ;
    let guest = waits(&[refused, descriptor(READ, INVAL)], 2, WHAT_CAME);
    let over_them = guest
        .replace("const 1024)", "const 8)")
        .replace("const 1032)", "const 16)");
    let (found, printed) = node.run(&node.tuned(), &over_them);
    assert_eq!(u32::try_from(found), Ok(2 * 64 + INVAL), "{printed}");
}

/// A socket about which the network has said something, by <https://man7.org/linux/man-pages/man7/ip.7.html>, `IP_RECVERR`. A
/// connection gets into that state when its first packet is refused in the moment in which it is sent, as nodes refuse those
/// to a Service without ready pods, and the next one is not.
const REFUSED_ONCE: &str = r#"
    use Socket;
    socket(S, PF_INET, SOCK_DGRAM, 0) && setsockopt(S, 0, 11, 1) && connect(S, sockaddr_in(9, inet_aton("127.0.0.1"))) or die;
    send(S, "x", 0);
    1 until unpack("i", getsockopt(S, SOL_SOCKET, SO_ERROR));
    open(STDIN, "<&", \*S) or die;
    exec @ARGV"#;

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn errors_that_nobody_can_read_end_no_wait() {
    let node = Node::start();
    let soon = clock(MONOTONIC, 50 * MILLISECOND, false);
    let events_and_time = format!("(i32.add (i32.mul (i32.load (i32.const 2048)) (i32.const 64)) {LONG_ENOUGH})");
    let guest = waits(&[descriptor(READ, 0), soon], 2, &events_and_time);
    let came = |crun: &str| node.run(&format!("perl -e '{REFUSED_ONCE}' {crun}"), &guest);
    assert_eq!(
        came(&node.tuned()),
        (64 + 1, String::new()),
        "the clock, not the socket"
    );
    assert_eq!(came(STOCK).0, 0, "what Debian's WasmEdge does now: see 0006");
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn waiting_takes_neither_a_timer_nor_a_list_in_the_kernel_in_the_tuned_engine() {
    let node = Node::start();
    let guest = waits(&[clock(MONOTONIC, HOUR, false)], 1, WHAT_CAME);
    let lists = |crun: &str| {
        let running = node.started(crun, &guest, &[]);
        eventually("the guest waits", || {
            running.of_process("status").contains("State:\tS").then_some(())
        });
        let open = running.descriptors();
        ["[timerfd]", "[eventpoll]"].map(|name| open.contains(name))
    };
    assert_eq!(lists(&node.tuned()), [false, false]);
    assert_eq!(
        lists(STOCK),
        [true, true],
        "Debian's WasmEdge does without now: see 0006"
    );
}
