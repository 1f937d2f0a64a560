//! Announces every committed change to the receiver of events, at least once, and the changes of one
//! order in their order.
//!
//! One replica at a time does it: the one that holds the outbox. It is a task of its own, so that a
//! receiver that is away never slows an answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use microservice::client::Client;
use microservice::database::{Database, QUERY_TIMEOUT};
use microservice::log::{self, Level};
use microservice::metrics::Family;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::event::{Event, MEDIA_TYPE};
use crate::store::{Backlog, OrderTables, Outbox};

/// The pause of a replica that does not hold the outbox, or cannot reach it.
const STANDBY: Duration = Duration::from_secs(1);
/// The pause before the outbox is looked at again: other replicas fill it too.
const POLL: Duration = Duration::from_millis(500);
/// The time after which a lane delivers no more before what it has delivered is recorded: a receiver
/// may be slow, and the hold on the outbox ends when it is not used ([`microservice::database::UNUSED`]).
const ROUND: Duration = Duration::from_secs(20);
/// Pauses while the receiver takes nothing: the first, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Events that are under way at once. All of one order go the same lane, one after the other.
const LANES: usize = 8;

/// The task's state.
#[derive(Debug)]
pub struct Announcer {
    client: Arc<Client>,
    changed: Notify,
    delivered: AtomicU64,
    failures: AtomicU64,
    /// What waits, as far as the replica knows that holds the outbox.
    backlog: Mutex<Option<Backlog>>,
}

impl Announcer {
    /// Announces changes by this client.
    pub fn new(client: Arc<Client>) -> Announcer {
        Announcer {
            client,
            changed: Notify::new(),
            delivered: AtomicU64::new(0),
            failures: AtomicU64::new(0),
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
        let mut pause = FIRST_PAUSE;
        loop {
            let events = answered(outbox.page()).await?;
            if events.is_empty() {
                self.set_backlog(Some(Backlog::default()));
                // Waiting for less than forever is no error.
                let _ = timeout(POLL, self.changed.notified()).await;
                continue;
            }
            self.set_backlog(Some(answered(outbox.backlog()).await?));
            let (delivered, failure) = self.deliver(events).await;
            if !delivered.is_empty() {
                answered(outbox.remove(&delivered)).await?;
                pause = FIRST_PAUSE;
            }
            if let Some(reason) = failure {
                self.failures.fetch_add(1, Ordering::Relaxed);
                log::event(
                    Level::Warn,
                    &format!("events: {reason}; next attempt in {} ms", pause.as_millis()),
                );
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }

    /// Delivers what can be delivered: the sequence numbers of that, and a reason why some was not.
    async fn deliver(&self, events: Vec<Event>) -> (Vec<i64>, Option<String>) {
        let mut lanes: [Vec<Event>; LANES] = Default::default();
        for event in events {
            let lane = event.order_id.unsigned_abs() as usize % LANES;
            if let Some(lane) = lanes.get_mut(lane) {
                lane.push(event);
            }
        }
        let mut tasks = JoinSet::new();
        for lane in lanes {
            tasks.spawn(deliver_in_order(Arc::clone(&self.client), lane));
        }
        let (mut delivered, mut failure) = (Vec::new(), None);
        while let Some(lane) = tasks.join_next().await {
            // A task fails only when it is cancelled or panics, which none of these is or does.
            let Ok((sequences, reason)) = lane else { continue };
            delivered.extend(sequences);
            failure = failure.or(reason);
        }
        self.delivered.fetch_add(delivered.len() as u64, Ordering::Relaxed);
        (delivered, failure)
    }

    fn set_backlog(&self, backlog: Option<Backlog>) {
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
    }

    /// Metrics of announcing; of what waits only where the outbox is held.
    pub fn metrics(&self) -> Vec<Family> {
        let family = |name: &str, kind, help, value: u64| Family {
            name: name.to_owned(),
            kind,
            help,
            samples: vec![(String::new(), value as f64)],
        };
        let delivered = self.delivered.load(Ordering::Relaxed);
        let failures = self.failures.load(Ordering::Relaxed);
        let mut families = vec![
            family(
                "orders_events_delivered_total",
                "counter",
                "Events that the receiver took.",
                delivered,
            ),
            family(
                "orders_events_failures_total",
                "counter",
                "Rounds that ended at an event not taken.",
                failures,
            ),
        ];
        if let Some(backlog) = *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) {
            families.extend([
                family(
                    "orders_events_waiting",
                    "gauge",
                    "Events in the outbox.",
                    backlog.events,
                ),
                family(
                    "orders_events_waiting_seconds",
                    "gauge",
                    "Age of the oldest of them.",
                    backlog.seconds,
                ),
            ]);
        }
        families
    }
}

/// The events of a lane up to the first that is not taken, and why it is not.
async fn deliver_in_order(client: Arc<Client>, events: Vec<Event>) -> (Vec<i64>, Option<String>) {
    let start = Instant::now();
    let mut delivered = Vec::new();
    for event in events.into_iter().take_while(|_| start.elapsed() < ROUND) {
        match client.post(MEDIA_TYPE, event.to_json().into()).await {
            Ok(answer) if answer.status.is_success() => delivered.push(event.sequence),
            Ok(answer) => {
                return (
                    delivered,
                    Some(format!("the receiver answers with status {}", answer.status)),
                )
            }
            Err(failure) => return (delivered, Some(failure.to_string())),
        }
    }
    (delivered, None)
}

async fn answered<A>(query: impl std::future::Future<Output = Result<A, mysql_async::Error>>) -> Result<A, String> {
    match timeout(QUERY_TIMEOUT, query).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("the database does not answer".to_owned()),
    }
}
