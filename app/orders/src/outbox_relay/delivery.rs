//! Sends a page of the outbox to the receiver.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::event::Event;
use crate::receiver::{Delivery, Receiver};

/// The time after which no more is delivered before what has been is recorded: a receiver may be slow, and the hold on the
/// outbox ends when it is not used ([`microservice::database::LOCK_IDLE_TIMEOUT`]).
const ROUND: Duration = Duration::from_secs(20);
/// Events that are under way at once. Those of one order follow each other.
const LANES: usize = 8;
/// After so many that were not taken, and none that was, the receiver is asked for no more in this round.
const MOST_FAILURES: usize = 64;

/// What came of a page.
#[derive(Debug, Default)]
pub struct Round {
    /// What the receiver has.
    pub taken: Vec<Event>,
    /// What it will not have, and why.
    pub refused: Vec<(Event, String)>,
    /// What it has not taken, and why.
    pub failed: Vec<(Event, String)>,
    /// What it had no time for, and why.
    pub delayed: Vec<(Event, String)>,
    /// Why it takes nothing just now.
    pub away: Option<String>,
    /// For how long it asks to be left alone.
    pub wait: Duration,
    /// Whether some were not tried.
    pub is_cut: bool,
}

/// Delivers a page, at once where the receiver takes batches, else or where it refuses that one by one.
pub async fn deliver(receiver: &Arc<Receiver>, events: Vec<Event>) -> Round {
    if receiver.takes_batches() && events.len() > 1 {
        let (reason, wait) = match receiver.send_batch(&events).await {
            Delivery::Taken => {
                return Round {
                    taken: events,
                    ..Round::default()
                }
            }
            Delivery::Refused(_) | Delivery::Failed(_) => return deliver_one_by_one(receiver, events).await,
            Delivery::Away(reason) => (reason, Duration::ZERO),
            Delivery::Busy(reason, wait) => (reason, wait),
        };
        return Round {
            away: Some(reason),
            wait,
            is_cut: true,
            ..Round::default()
        };
    }
    deliver_one_by_one(receiver, events).await
}

async fn deliver_one_by_one(receiver: &Arc<Receiver>, events: Vec<Event>) -> Round {
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
        tasks.spawn(deliver_lane(Arc::clone(receiver), lane, Arc::clone(&progress)));
    }
    let mut all = Round::default();
    while let Some(lane) = tasks.join_next().await {
        // A task fails only when it is cancelled or panics, which none of these is or does.
        let Ok(round) = lane else { continue };
        all.taken.extend(round.taken);
        all.refused.extend(round.refused);
        all.failed.extend(round.failed);
        all.delayed.extend(round.delayed);
        all.away = all.away.or(round.away);
        all.wait = all.wait.max(round.wait);
        all.is_cut |= round.is_cut;
    }
    all
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
                Delivery::Failed(reason) => {
                    round.failed.push((event, reason));
                    let failures = progress.failures.fetch_add(1, Ordering::Relaxed) + 1;
                    if failures >= MOST_FAILURES && !progress.some_taken.load(Ordering::Relaxed) {
                        progress.is_over.store(true, Ordering::Relaxed);
                    }
                }
                Delivery::Busy(reason, wait) => {
                    round.delayed.push((event, reason));
                    round.wait = round.wait.max(wait);
                    progress.is_over.store(true, Ordering::Relaxed);
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
