//! Announces every committed change to the receiver of events, at least once, and the changes of one order in their order.
//!
//! One replica at a time does it: the one that holds the outbox. It is a task of its own, so that a receiver that is away
//! never slows an answer. It walks through the outbox page by page, whatever waits behind: an event that is not taken holds
//! up those of its own order alone, until it is set aside as a dead letter.

mod delivery;
mod unseen;
mod walk;

use std::collections::HashMap;
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
use crate::store::{Backlog, OrderTables, Outbox};
use delivery::{deliver, Round};
use walk::Walk;

/// The pause of a replica that does not hold the outbox, or cannot reach it.
const STANDBY: Duration = Duration::from_secs(1);
/// The pause before the outbox is looked at again: other replicas fill it too.
const POLL: Duration = Duration::from_millis(500);
/// The time after which the walk starts over, for events whose change was committed after one with a higher number, and
/// for those that were not taken before.
const WALK: Duration = Duration::from_secs(2);
/// Pauses while the receiver takes nothing: the first, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Attempts after which an event is set aside.
const MAX_ATTEMPTS: u32 = 5;
/// The longest time for which a receiver is left alone because it asks for that.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// How often the hold on the outbox is used meanwhile, which ends after [`microservice::database::LOCK_IDLE_TIMEOUT`] without.
const USE_EVERY: Duration = Duration::from_secs(15);
const SILENT: &str = "the database does not answer";
/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// The task's state.
#[derive(Debug)]
pub struct OutboxRelay {
    receiver: Arc<Receiver>,
    changed: Notify,
    delivered: AtomicU64,
    failures: AtomicU64,
    set_aside: AtomicU64,
    /// What waits, as far as the replica knows that holds the outbox.
    backlog: Mutex<Option<Backlog>>,
}

impl OutboxRelay {
    /// Announces changes to this receiver.
    pub fn new(receiver: Receiver) -> OutboxRelay {
        OutboxRelay {
            receiver: Arc::new(receiver),
            changed: Notify::new(),
            delivered: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
            backlog: Mutex::default(),
        }
    }

    /// Tells that this replica has changed an order.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Announces changes for as long as the process runs.
    pub async fn run(&self, database: &Database<OrderTables>) {
        loop {
            if let Ok(Some(outbox)) = Outbox::take(database).await {
                if let Err(reason) = self.empty_again_and_again(outbox).await {
                    log::event(Level::Warn, &format!("the outbox is let go: {reason}"));
                }
                self.set_backlog(None);
            }
            sleep(STANDBY).await;
        }
    }

    /// Returns why the outbox is lost: its connection broke, and with it the hold on the outbox.
    async fn empty_again_and_again(&self, mut outbox: Outbox) -> Result<(), String> {
        let mut walk = Walk::new();
        loop {
            self.count(&mut outbox, &mut walk).await?;
            let mut start = walk.after;
            let (page, last) = answered(outbox.page(walk.after)).await?;
            walk.after = last.unwrap_or(walk.after);
            // Asked for after the page: what it has of an order cannot be without what came before.
            let now = Instant::now();
            let mut events = answered(outbox.late(&walk.unseen.ranges_up_to(start, now))).await?;
            start = events.first().map_or(start, |late| start.min(late.sequence - 1));
            events.extend(page);
            for event in &events {
                walk.unseen.see(event.sequence, now);
            }
            let due = walk.due(events);
            if due.is_empty() {
                if last.is_none() {
                    walk.end();
                    // Waiting for less than forever is no error.
                    let _ = timeout(POLL, self.changed.notified()).await;
                    walk.begin();
                }
                continue;
            }
            walk.is_idle = false;
            let round = deliver(&self.receiver, due).await;
            if round.is_cut {
                // What was not tried comes before all that is behind it.
                walk.after = start;
            }
            let requested_pause = round.wait.min(LONGEST_ASKED);
            if let Some(reason) = self.record(&mut outbox, &mut walk, round).await? {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let pause = walk.pause.max(requested_pause);
                let millis = pause.as_millis();
                log::event(Level::Warn, &format!("events: {reason}; next attempt in {millis} ms"));
                self.pause_sending(&mut outbox, &mut walk, pause).await?;
                walk.pause = LONGEST_PAUSE.min(walk.pause * 2);
            } else if !requested_pause.is_zero() {
                self.pause_sending(&mut outbox, &mut walk, requested_pause).await?;
            } else if walk.began.elapsed() > WALK {
                walk.begin();
            }
        }
    }

    /// Sends nothing for a while, and keeps the hold on the outbox.
    async fn pause_sending(&self, outbox: &mut Outbox, walk: &mut Walk, time: Duration) -> Result<(), String> {
        let start = Instant::now();
        while let Some(rest) = time.checked_sub(start.elapsed()).filter(|rest| !rest.is_zero()) {
            sleep(rest.min(USE_EVERY)).await;
            self.count(outbox, walk).await?;
        }
        Ok(())
    }

    /// Records what came of a page. Returns why the receiver takes nothing, if so.
    async fn record(&self, outbox: &mut Outbox, walk: &mut Walk, round: Round) -> Result<Option<String>, String> {
        let takes_some = !round.taken.is_empty();
        let is_there = takes_some || !round.refused.is_empty();
        let mut counted = HashMap::new();
        if takes_some {
            let sequences: Vec<i64> = round.taken.iter().map(|event| event.sequence).collect();
            answered(outbox.remove(&sequences)).await?;
            for event in &round.taken {
                walk.release(event);
            }
            self.delivered.fetch_add(round.taken.len() as u64, Ordering::Relaxed);
            walk.pause = FIRST_PAUSE;
            counted = walk.take_proven_failures();
        }
        let mut reason = round.away;
        for (event, why) in round.delayed {
            walk.delay(&event, round.wait);
            reason = reason.or(Some(why));
        }
        let mut over = Vec::new();
        let proven = |events: Vec<(Event, String)>, proven: bool| events.into_iter().map(move |event| (event, proven));
        for ((event, why), is_proven) in proven(round.refused, true).chain(proven(round.failed, takes_some)) {
            let attempts = event.attempts + u32::from(is_proven);
            if is_proven {
                counted.entry(why.clone()).or_default().push(event.sequence);
            } else {
                reason = reason.or(Some(why.clone()));
            }
            if attempts >= MAX_ATTEMPTS {
                over.push(event.sequence);
                walk.release(&event);
                let (id, order) = (&event.id, event.order_id);
                let message = format!("event {id} of order {order} is set aside after {attempts} attempts: {why}");
                log::event(Level::Error, &message);
                continue;
            }
            walk.hold(&event, attempts, (!is_proven).then_some(why));
        }
        for (why, sequences) in counted {
            answered(outbox.count_attempt(&sequences, &why)).await?;
        }
        if !over.is_empty() {
            answered(outbox.set_aside(&over)).await?;
            self.set_aside.fetch_add(over.len() as u64, Ordering::Relaxed);
        }
        Ok(reason.filter(|_| !is_there))
    }

    /// Counts what waits, now and then. A count that fails is a figure that is missing.
    async fn count(&self, outbox: &mut Outbox, walk: &mut Walk) -> Result<(), String> {
        if walk.counted.is_some_and(|counted| counted.elapsed() < COUNT_EVERY) {
            return Ok(());
        }
        walk.counted = Some(Instant::now());
        let backlog = match timeout(QUERY_TIMEOUT, outbox.backlog()).await {
            Ok(Ok(backlog)) => Some(backlog),
            Ok(Err(mysql_async::Error::Server(_))) => None,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(SILENT.to_owned()),
        };
        self.set_backlog(backlog);
        let unreadable = backlog.map_or(0, |backlog| backlog.unreadable);
        if unreadable > 0 && !walk.was_told_of_unreadable {
            walk.was_told_of_unreadable = true;
            let message = format!("events: {unreadable} in the outbox are of a kind that this version does not know");
            log::event(Level::Error, &message);
        }
        Ok(())
    }

    fn set_backlog(&self, backlog: Option<Backlog>) {
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
    }

    /// Metrics of announcing; of what waits only where the outbox is held.
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
            counter("set_aside_total", "Events that were set aside.", &self.set_aside),
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

async fn answered<A>(query: impl Future<Output = Result<A, mysql_async::Error>>) -> Result<A, String> {
    match timeout(QUERY_TIMEOUT, query).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
}
