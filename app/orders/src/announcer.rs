//! Announces every committed change to the receiver of events, at least once, and the changes of one order in their order.
//!
//! One replica at a time does it: the one that holds the outbox. It is a task of its own, so that a receiver that is away
//! never slows an answer. It walks through the outbox page by page, whatever waits behind: an event that is not taken holds
//! up those of its own order alone, until it is set aside as a dead letter.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use microservice::database::{Database, QUERY_TIMEOUT};
use microservice::log::{self, Level};
use microservice::metrics::Family;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::event::Event;
use crate::receiver::{Delivery, Receiver};
use crate::store::{Backlog, OrderTables, Outbox};

/// The pause of a replica that does not hold the outbox, or cannot reach it.
const STANDBY: Duration = Duration::from_secs(1);
/// The pause before the outbox is looked at again: other replicas fill it too.
const POLL: Duration = Duration::from_millis(500);
/// The time after which the walk begins anew, for events whose change was committed after one with a higher number, and
/// for those that were not taken before.
const WALK: Duration = Duration::from_secs(2);
/// The time after which no more is delivered before what has been is recorded: a receiver may be slow, and the hold on the
/// outbox ends when it is not used ([`microservice::database::UNUSED`]).
const ROUND: Duration = Duration::from_secs(20);
/// Pauses while the receiver takes nothing: the first, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Events that are under way at once. Those of one order follow each other.
const LANES: usize = 8;
/// After so many that were not taken, and none that was, the receiver is asked for no more in this round.
const MOST_FAILURES: usize = 64;
/// Attempts after which an event is set aside, and the pause after the first, doubled with each.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The most orders that are held up at once.
const MOST_HELD: usize = 10_000;
const SILENT: &str = "the database does not answer";
/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// The task's state.
#[derive(Debug)]
pub struct Announcer {
    receiver: Arc<Receiver>,
    changed: Notify,
    delivered: AtomicU64,
    failures: AtomicU64,
    set_aside: AtomicU64,
    /// What waits, as far as the replica knows that holds the outbox.
    backlog: Mutex<Option<Backlog>>,
}

/// An order whose first event was not taken: later ones wait for it.
#[derive(Clone, Debug)]
struct Held {
    sequence: i64,
    /// When it is tried again.
    due: Instant,
    /// Why it was not taken, where that does not count as an attempt yet: the receiver may take nothing at all.
    unproven: Option<String>,
}

/// What one replica remembers while it holds the outbox.
#[derive(Debug)]
struct Walk {
    /// The last sequence number that was looked at.
    after: i64,
    began: Instant,
    held: HashMap<i32, Held>,
    /// Whether nothing was sent since the walk began.
    is_idle: bool,
    pause: Duration,
    counted: Option<Instant>,
    was_told_of_unreadable: bool,
}

/// What came of a page.
#[derive(Debug, Default)]
struct Round {
    taken: Vec<Event>,
    refused: Vec<(Event, String)>,
    failed: Vec<(Event, String)>,
    away: Option<String>,
    /// Whether some were not tried.
    is_cut: bool,
}

impl Announcer {
    /// Announces changes to this receiver.
    pub fn new(receiver: Receiver) -> Announcer {
        Announcer {
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
            let start = walk.after;
            let page = answered(outbox.page(walk.after)).await?;
            let last = page.last().map(|event| event.sequence);
            walk.after = last.unwrap_or(walk.after);
            let due = walk.due(page);
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
            let round = self.deliver(due).await;
            if round.is_cut {
                // What was not tried comes before all that is behind it.
                walk.after = start;
            }
            if let Some(reason) = self.record(&mut outbox, &mut walk, round).await? {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let pause = walk.pause.as_millis();
                log::event(Level::Warn, &format!("events: {reason}; next attempt in {pause} ms"));
                sleep(walk.pause).await;
                walk.pause = LONGEST_PAUSE.min(walk.pause * 2);
            } else if walk.began.elapsed() > WALK {
                walk.begin();
            }
        }
    }

    /// Records what came of a page. Returns why the receiver takes nothing, if so.
    async fn record(&self, outbox: &mut Outbox, walk: &mut Walk, round: Round) -> Result<Option<String>, String> {
        let is_there = !round.taken.is_empty() || !round.refused.is_empty();
        if !round.taken.is_empty() {
            let sequences: Vec<i64> = round.taken.iter().map(|event| event.sequence).collect();
            answered(outbox.remove(&sequences)).await?;
            for event in &round.taken {
                walk.held.remove(&event.order_id);
            }
            self.delivered.fetch_add(round.taken.len() as u64, Ordering::Relaxed);
        }
        let mut counted: HashMap<String, Vec<i64>> = HashMap::new();
        if !round.taken.is_empty() {
            walk.pause = FIRST_PAUSE;
            // It takes events: those that it did not take have failed by themselves.
            for held in walk.held.values_mut() {
                if let Some(reason) = held.unproven.take() {
                    held.due = Instant::now() + FIRST_RETRY;
                    counted.entry(reason).or_default().push(held.sequence);
                }
            }
        }
        let mut reason = round.away;
        let mut over = Vec::new();
        let proven = |events: Vec<(Event, String)>, proven: bool| events.into_iter().map(move |event| (event, proven));
        let failed = proven(round.failed, !round.taken.is_empty());
        for ((event, why), is_proven) in proven(round.refused, true).chain(failed) {
            let attempts = event.attempts + u32::from(is_proven);
            if is_proven {
                counted.entry(why.clone()).or_default().push(event.sequence);
            } else {
                reason = reason.or(Some(why.clone()));
            }
            if attempts >= MAX_ATTEMPTS {
                over.push(event.sequence);
                walk.held.remove(&event.order_id);
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
        if walk.held.len() > MOST_HELD {
            // It has not taken any event for long.
            walk.held.clear();
            walk.begin();
        }
        Ok(reason.filter(|_| !is_there))
    }

    /// Delivers a page, at once where the receiver takes batches, else or where it refuses that one by one.
    async fn deliver(&self, events: Vec<Event>) -> Round {
        if self.receiver.takes_batches() && events.len() > 1 {
            match self.receiver.send_batch(&events).await {
                Delivery::Taken => {
                    return Round {
                        taken: events,
                        ..Round::default()
                    }
                }
                Delivery::Away(reason) | Delivery::Busy(reason) => {
                    return Round {
                        away: Some(reason),
                        is_cut: true,
                        ..Round::default()
                    }
                }
                Delivery::Refused(_) | Delivery::Failed(_) => {}
            }
        }
        self.deliver_one_by_one(events).await
    }

    async fn deliver_one_by_one(&self, events: Vec<Event>) -> Round {
        let mut lanes: Vec<Vec<Vec<Event>>> = vec![Vec::new(); LANES];
        let mut orders: HashMap<i32, (usize, usize)> = HashMap::new();
        for event in events {
            let next = orders.len() % LANES;
            let place = orders.entry(event.order_id).or_insert_with(|| {
                let lane = lanes.get_mut(next).map_or(0, |lane| {
                    lane.push(Vec::new());
                    lane.len() - 1
                });
                (next, lane)
            });
            if let Some(order) = lanes.get_mut(place.0).and_then(|lane| lane.get_mut(place.1)) {
                order.push(event);
            }
        }
        let progress = Arc::new(Progress::default());
        let mut tasks = JoinSet::new();
        for lane in lanes {
            tasks.spawn(deliver_lane(Arc::clone(&self.receiver), lane, Arc::clone(&progress)));
        }
        let mut all = Round::default();
        while let Some(lane) = tasks.join_next().await {
            // A task fails only when it is cancelled or panics, which none of these is or does.
            let Ok(round) = lane else { continue };
            all.taken.extend(round.taken);
            all.refused.extend(round.refused);
            all.failed.extend(round.failed);
            all.away = all.away.or(round.away);
            all.is_cut |= round.is_cut;
        }
        all
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

impl Walk {
    fn new() -> Walk {
        Walk {
            after: 0,
            began: Instant::now(),
            held: HashMap::new(),
            is_idle: true,
            pause: FIRST_PAUSE,
            counted: None,
            was_told_of_unreadable: false,
        }
    }

    /// Begins with the oldest again.
    fn begin(&mut self) {
        (self.after, self.began, self.is_idle) = (0, Instant::now(), true);
    }

    /// Where there is nothing else to send, what the receiver has not taken yet need not wait for it.
    fn end(&mut self) {
        if self.is_idle {
            let unproven = self.held.values_mut().filter(|held| held.unproven.is_some());
            unproven.for_each(|held| held.due = Instant::now());
        }
    }

    /// The events of a page that may be sent: none before an earlier one of its order.
    fn due(&mut self, page: Vec<Event>) -> Vec<Event> {
        let now = Instant::now();
        let held = &self.held;
        page.into_iter()
            .filter(|event| match held.get(&event.order_id) {
                None => true,
                Some(held) => held.sequence == event.sequence && held.due <= now,
            })
            .collect()
    }

    /// Holds up an order. While nobody knows whether the receiver takes anything, others are tried before it again.
    fn hold(&mut self, event: &Event, attempts: u32, unproven: Option<String>) {
        let wait = match unproven {
            None => FIRST_RETRY * 2_u32.pow(attempts.clamp(1, MAX_ATTEMPTS) - 1),
            Some(_) => LONGEST_WAIT.min(FIRST_RETRY + self.pause * 16),
        };
        let held = Held {
            sequence: event.sequence,
            due: Instant::now() + wait,
            unproven,
        };
        self.held.insert(event.order_id, held);
    }
}

/// What the lanes of a page know of each other.
#[derive(Debug, Default)]
struct Progress {
    failures: AtomicUsize,
    some_taken: AtomicBool,
    is_over: AtomicBool,
}

/// Delivers the events of some orders, each order up to the first event that is not taken.
async fn deliver_lane(receiver: Arc<Receiver>, orders: Vec<Vec<Event>>, progress: Arc<Progress>) -> Round {
    let start = Instant::now();
    let mut round = Round::default();
    for events in orders {
        for event in events {
            if progress.is_over.load(Ordering::Relaxed) || start.elapsed() > ROUND {
                round.is_cut = true;
                return round;
            }
            match receiver.send(&event).await {
                Delivery::Taken => {
                    progress.some_taken.store(true, Ordering::Relaxed);
                    round.taken.push(event);
                    continue;
                }
                Delivery::Refused(reason) => round.refused.push((event, reason)),
                // Whatever it says of all, it may say so of one alone.
                Delivery::Failed(reason) | Delivery::Busy(reason) => {
                    round.failed.push((event, reason));
                    let failures = progress.failures.fetch_add(1, Ordering::Relaxed) + 1;
                    if failures >= MOST_FAILURES && !progress.some_taken.load(Ordering::Relaxed) {
                        progress.is_over.store(true, Ordering::Relaxed);
                    }
                }
                Delivery::Away(reason) => {
                    (round.away, round.is_cut) = (Some(reason), true);
                    progress.is_over.store(true, Ordering::Relaxed);
                    return round;
                }
            }
            break;
        }
    }
    round
}

async fn answered<A>(query: impl Future<Output = Result<A, mysql_async::Error>>) -> Result<A, String> {
    match timeout(QUERY_TIMEOUT, query).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
}
