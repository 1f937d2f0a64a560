//! Relays every committed change from the outbox to the receiver of events: at least once, and the changes of one order
//! in sequence (transactional outbox).
//!
//! One replica at a time does it: the one that holds the lock of the outbox. It is a background task, so that an
//! unavailable receiver never delays a response. It scans the outbox page by page: an event that is not accepted blocks
//! later events of the same order only, until it becomes a dead letter.

mod delivery;
mod failures;
mod scan;
mod sequence_gaps;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use microservice::database::{Database, QUERY_TIMEOUT};
use microservice::log::{self, Level};
use microservice::metrics::Family;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::event::Event;
use crate::receiver::Receiver;
use crate::store::{Backlog, OrderTables, Outbox, OutboxRow};
use delivery::{deliver_page, RoundOutcome};
use failures::Failures;
use scan::{OutboxScan, FIRST_BACKOFF, MAX_REQUESTED_PAUSE};

/// The interval at which a replica tries to acquire the lock of the outbox.
const STANDBY_INTERVAL: Duration = Duration::from_secs(1);
/// The interval at which an empty outbox is read again, because other replicas fill it too.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The time after which the next pass starts with the oldest event, for retries, and for events that were committed
/// after events with higher sequence numbers.
const MAX_PASS_DURATION: Duration = Duration::from_secs(2);
/// The longest backoff while the receiver accepts nothing.
const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// How often the connection that holds the lock is used during a pause, so that it does not time out
/// ([`microservice::database::LOCK_IDLE_TIMEOUT`]).
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const DATABASE_TIMEOUT_MESSAGE: &str = "the database does not answer";
/// How often the backlog is counted.
const BACKLOG_INTERVAL: Duration = Duration::from_secs(2);

/// The state of the task.
#[derive(Debug)]
pub struct OutboxRelay {
    receiver: Arc<Receiver>,
    order_changed: Notify,
    delivered: AtomicU64,
    failures: AtomicU64,
    dead_lettered: AtomicU64,
    /// The backlog, while this replica holds the lock of the outbox.
    backlog: Mutex<Option<Backlog>>,
}

impl OutboxRelay {
    /// A relay to this receiver.
    pub fn new(receiver: Receiver) -> OutboxRelay {
        OutboxRelay {
            receiver: Arc::new(receiver),
            order_changed: Notify::new(),
            delivered: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            dead_lettered: AtomicU64::new(0),
            backlog: Mutex::default(),
        }
    }

    /// Wakes the task, after this replica has changed an order.
    pub fn wake(&self) {
        self.order_changed.notify_one();
    }

    /// Relays events, for as long as the process runs.
    pub async fn run(&self, database: &Database<OrderTables>) {
        loop {
            if let Ok(Some(outbox)) = Outbox::lock(database).await {
                if let Err(reason) = self.relay_pages(outbox).await {
                    log::event(Level::Warn, &format!("the outbox is let go: {reason}"));
                }
                self.set_backlog(None);
            }
            sleep(STANDBY_INTERVAL).await;
        }
    }

    /// Relays events until the connection of the outbox breaks, and with it the lock is lost. Returns the error.
    async fn relay_pages(&self, mut outbox: Outbox) -> Result<(), String> {
        let mut scan = OutboxScan::new();
        loop {
            self.update_backlog(&mut outbox, &mut scan).await?;
            let position = scan.after;
            let page = with_timeout(outbox.read_page(position)).await?;
            let is_end = page.is_empty();
            // The gaps are read after the page: all earlier events of the orders in the page are committed by then.
            let now = Instant::now();
            let late = with_timeout(outbox.read_ranges(&scan.gaps.ranges_up_to(position, now))).await?;
            log_unreadable_row(&mut scan, late.iter().chain(&page));
            let (events, start) = scan.take_next(late, page, now);
            let sendable = scan.select_sendable(events);
            if sendable.is_empty() {
                if is_end {
                    scan.finish_pass();
                    // A timeout is not an error.
                    let _ = timeout(POLL_INTERVAL, self.order_changed.notified()).await;
                    scan.restart();
                }
                continue;
            }
            scan.is_idle = false;
            let outcome = deliver_page(&self.receiver, sendable).await;
            if outcome.is_incomplete {
                // Events that were not sent must be sent before later ones.
                scan.after = start;
            }
            let requested_pause = outcome.requested_pause.min(MAX_REQUESTED_PAUSE);
            if let Some(reason) = self.record_outcome(&mut outbox, &mut scan, outcome).await? {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let pause = scan.backoff.max(requested_pause);
                let millis = pause.as_millis();
                log::event(Level::Warn, &format!("events: {reason}; next attempt in {millis} ms"));
                self.pause_sending(&mut outbox, &mut scan, pause).await?;
                scan.backoff = MAX_BACKOFF.min(scan.backoff * 2);
            } else if !requested_pause.is_zero() {
                self.pause_sending(&mut outbox, &mut scan, requested_pause).await?;
            } else if scan.started_at.elapsed() > MAX_PASS_DURATION {
                scan.restart();
            }
        }
    }

    /// Sends nothing for a while, but keeps the lock of the outbox.
    async fn pause_sending(&self, outbox: &mut Outbox, scan: &mut OutboxScan, length: Duration) -> Result<(), String> {
        let start = Instant::now();
        while let Some(remaining) = length
            .checked_sub(start.elapsed())
            .filter(|remaining| !remaining.is_zero())
        {
            sleep(remaining.min(KEEPALIVE_INTERVAL)).await;
            self.update_backlog(outbox, scan).await?;
        }
        Ok(())
    }

    /// Records the outcome of a page. Returns why the receiver accepts nothing, if so.
    async fn record_outcome(
        &self,
        outbox: &mut Outbox,
        scan: &mut OutboxScan,
        outcome: RoundOutcome,
    ) -> Result<Option<String>, String> {
        let has_accepted = !outcome.accepted.is_empty();
        let is_available = has_accepted || !outcome.rejected.is_empty();
        let mut failures = Failures {
            reason: outcome.unavailable,
            ..Failures::default()
        };
        if has_accepted {
            self.record_accepted(outbox, scan, &outcome.accepted).await?;
            failures.attempts = scan.confirm_failures();
        }
        for (event, event_error) in outcome.postponed {
            scan.postpone(&event, outcome.requested_pause);
            failures.reason.get_or_insert(event_error);
        }
        for (event, event_error) in outcome.rejected {
            failures.add_confirmed(scan, &event, event_error);
        }
        for (event, event_error) in outcome.failed {
            // Where others were accepted, the failure is about this event.
            if has_accepted {
                failures.add_confirmed(scan, &event, event_error);
            } else {
                failures.add_unconfirmed(scan, &event, event_error);
            }
        }
        self.record_failures(outbox, &failures).await?;
        Ok(failures.reason.filter(|_| !is_available))
    }

    /// Records the events that the receiver has accepted.
    async fn record_accepted(
        &self,
        outbox: &mut Outbox,
        scan: &mut OutboxScan,
        accepted: &[Event],
    ) -> Result<(), String> {
        let sequences: Vec<i64> = accepted.iter().map(|event| event.sequence).collect();
        with_timeout(outbox.remove(&sequences)).await?;
        for event in accepted {
            scan.unblock(event);
        }
        self.delivered.fetch_add(accepted.len() as u64, Ordering::Relaxed);
        scan.backoff = FIRST_BACKOFF;
        Ok(())
    }

    async fn record_failures(&self, outbox: &mut Outbox, failures: &Failures) -> Result<(), String> {
        for (event_error, sequences) in &failures.attempts {
            with_timeout(outbox.count_attempt(sequences, event_error)).await?;
        }
        let dead_letters = &failures.dead_letters;
        if !dead_letters.is_empty() {
            with_timeout(outbox.move_to_dead_letters(dead_letters)).await?;
            self.dead_lettered
                .fetch_add(dead_letters.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Counts the backlog at intervals. If counting fails, the metric is missing.
    async fn update_backlog(&self, outbox: &mut Outbox, scan: &mut OutboxScan) -> Result<(), String> {
        if scan
            .backlog_counted_at
            .is_some_and(|counted_at| counted_at.elapsed() < BACKLOG_INTERVAL)
        {
            return Ok(());
        }
        scan.backlog_counted_at = Some(Instant::now());
        let backlog = match timeout(QUERY_TIMEOUT, outbox.count_backlog()).await {
            Ok(Ok(backlog)) => Some(backlog),
            Ok(Err(mysql_async::Error::Server(_))) => None,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(DATABASE_TIMEOUT_MESSAGE.to_owned()),
        };
        self.set_backlog(backlog);
        let unreadable = backlog.map_or(0, |backlog| backlog.unreadable);
        if unreadable > 0 && !scan.has_logged_unreadable {
            scan.has_logged_unreadable = true;
            let message = format!("events: {unreadable} in the outbox are of a kind that this version does not know");
            log::event(Level::Error, &message);
        }
        Ok(())
    }

    fn set_backlog(&self, backlog: Option<Backlog>) {
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
    }

    /// The metrics; those of the backlog only while this replica holds the lock of the outbox.
    pub fn metrics(&self) -> Vec<Family> {
        let family = |name: &str, kind, help, value: u64| Family {
            name: format!("orders_events_{name}"),
            kind,
            help,
            samples: vec![(String::new(), value as f64)],
        };
        let counter = |name, help, value: &AtomicU64| family(name, "counter", help, value.load(Ordering::Relaxed));
        let mut families = vec![
            counter("delivered_total", "Events that the receiver took.", &self.delivered),
            counter(
                "failures_total",
                "Rounds in which the receiver took nothing.",
                &self.failures,
            ),
            counter("set_aside_total", "Events that were set aside.", &self.dead_lettered),
        ];
        if let Some(backlog) = *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) {
            families.extend([
                family("waiting", "gauge", "Events in the outbox.", backlog.events),
                family(
                    "waiting_seconds",
                    "gauge",
                    "Age of the oldest of them.",
                    backlog.seconds,
                ),
                family(
                    "unreadable",
                    "gauge",
                    "Events of kinds that this version does not know, among the oldest.",
                    backlog.unreadable,
                ),
                family(
                    "dead_letters",
                    "gauge",
                    "Events that are set aside.",
                    backlog.dead_letters,
                ),
            ]);
        }
        families
    }
}

/// Logs once that a row cannot be read, such as after an administrator has changed a column.
fn log_unreadable_row<'page>(scan: &mut OutboxScan, mut rows: impl Iterator<Item = &'page OutboxRow>) {
    let unreadable = rows.find(|row| row.event.is_none());
    let Some(row) = unreadable.filter(|_| !scan.has_logged_unreadable_row) else {
        return;
    };
    scan.has_logged_unreadable_row = true;
    let message = format!(
        "events: the row with sequence {} of orders_outbox cannot be read and is not sent: see whether the columns of \
         the table were changed; later events of its order do not wait for it",
        row.sequence
    );
    log::event(Level::Error, &message);
}

async fn with_timeout<A>(query: impl Future<Output = Result<A, mysql_async::Error>>) -> Result<A, String> {
    match timeout(QUERY_TIMEOUT, query).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(DATABASE_TIMEOUT_MESSAGE.to_owned()),
    }
}
