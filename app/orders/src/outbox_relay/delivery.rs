//! Sends a page of the outbox to the receiver.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::event::Event;
use crate::receiver::{Delivery, Receiver};

/// After this time, a round stops and its outcome is recorded: the receiver may be slow, and the lock of the outbox is
/// released when its connection is idle ([`microservice::database::LOCK_IDLE_TIMEOUT`]).
const ROUND_TIMEOUT: Duration = Duration::from_secs(20);
/// The most events that are sent concurrently. Events of one order are sent one after the other.
const MAX_CONCURRENT_REQUESTS: usize = 8;
/// After so many failures without a success, a round stops.
const MAX_FAILURES: usize = 64;

/// The outcome of sending a page.
#[derive(Debug, Default)]
pub struct RoundOutcome {
    /// Events that the receiver has accepted.
    pub accepted: Vec<Event>,
    /// Events that it rejected, with the reason.
    pub rejected: Vec<(Event, String)>,
    /// Events that failed, with the reason.
    pub failed: Vec<(Event, String)>,
    /// Events that it asked to postpone, with the reason.
    pub postponed: Vec<(Event, String)>,
    /// Why it accepts nothing at the moment, if so.
    pub unavailable: Option<String>,
    /// The pause that it requests.
    pub requested_pause: Duration,
    /// Whether some events were not sent.
    pub is_incomplete: bool,
}

/// Sends a page: as a batch if the receiver accepts batches; otherwise, or if it rejects the batch, one by one.
pub async fn deliver_page(receiver: &Arc<Receiver>, events: Vec<Event>) -> RoundOutcome {
    if receiver.accepts_batches() && events.len() > 1 {
        let (reason, requested_pause) = match receiver.send_batch(&events).await {
            Delivery::Accepted => {
                return RoundOutcome {
                    accepted: events,
                    ..RoundOutcome::default()
                }
            }
            Delivery::Rejected(_) | Delivery::Failed(_) => return deliver_one_by_one(receiver, events).await,
            Delivery::Unavailable(reason) => (reason, Duration::ZERO),
            Delivery::Busy(reason, requested_pause) => (reason, requested_pause),
        };
        return RoundOutcome {
            unavailable: Some(reason),
            requested_pause,
            is_incomplete: true,
            ..RoundOutcome::default()
        };
    }
    deliver_one_by_one(receiver, events).await
}

async fn deliver_one_by_one(receiver: &Arc<Receiver>, events: Vec<Event>) -> RoundOutcome {
    let mut lanes: Vec<Vec<Vec<Event>>> = vec![Vec::new(); MAX_CONCURRENT_REQUESTS];
    let mut orders: HashMap<i32, (usize, usize)> = HashMap::new();
    for event in events {
        let next = orders.len() % MAX_CONCURRENT_REQUESTS;
        let position = orders.entry(event.order_id).or_insert_with(|| {
            let lane = lanes.get_mut(next).map_or(0, |lane| {
                lane.push(Vec::new());
                lane.len() - 1
            });
            (next, lane)
        });
        if let Some(order) = lanes.get_mut(position.0).and_then(|lane| lane.get_mut(position.1)) {
            order.push(event);
        }
    }
    let progress = Arc::new(RoundProgress::default());
    let mut tasks = JoinSet::new();
    for lane in lanes {
        tasks.spawn(deliver_lane(Arc::clone(receiver), lane, Arc::clone(&progress)));
    }
    let mut total = RoundOutcome::default();
    while let Some(lane) = tasks.join_next().await {
        // Joining fails only if a task was aborted or has panicked, neither of which happens.
        let Ok(outcome) = lane else { continue };
        total.accepted.extend(outcome.accepted);
        total.rejected.extend(outcome.rejected);
        total.failed.extend(outcome.failed);
        total.postponed.extend(outcome.postponed);
        total.unavailable = total.unavailable.or(outcome.unavailable);
        total.requested_pause = total.requested_pause.max(outcome.requested_pause);
        total.is_incomplete |= outcome.is_incomplete;
    }
    total
}

/// The shared progress of all lanes.
#[derive(Debug, Default)]
struct RoundProgress {
    failures: AtomicUsize,
    has_accepted: AtomicBool,
    is_stopped: AtomicBool,
}

/// Sends the events of some orders, of each order up to the first event that is not accepted.
async fn deliver_lane(receiver: Arc<Receiver>, orders: Vec<Vec<Event>>, progress: Arc<RoundProgress>) -> RoundOutcome {
    let started_at = Instant::now();
    let mut outcome = RoundOutcome::default();
    for events in orders {
        for event in events {
            if progress.is_stopped.load(Ordering::Relaxed) || started_at.elapsed() > ROUND_TIMEOUT {
                outcome.is_incomplete = true;
                return outcome;
            }
            match receiver.send(&event).await {
                Delivery::Accepted => {
                    progress.has_accepted.store(true, Ordering::Relaxed);
                    outcome.accepted.push(event);
                    continue;
                }
                Delivery::Rejected(reason) => outcome.rejected.push((event, reason)),
                // Goes on with other orders, because the failure may be about this event only.
                Delivery::Failed(reason) => {
                    outcome.failed.push((event, reason));
                    let failures = progress.failures.fetch_add(1, Ordering::Relaxed) + 1;
                    if failures >= MAX_FAILURES && !progress.has_accepted.load(Ordering::Relaxed) {
                        progress.is_stopped.store(true, Ordering::Relaxed);
                    }
                }
                Delivery::Busy(reason, requested_pause) => {
                    outcome.postponed.push((event, reason));
                    outcome.requested_pause = outcome.requested_pause.max(requested_pause);
                    progress.is_stopped.store(true, Ordering::Relaxed);
                }
                Delivery::Unavailable(reason) => {
                    (outcome.unavailable, outcome.is_incomplete) = (Some(reason), true);
                    progress.is_stopped.store(true, Ordering::Relaxed);
                    return outcome;
                }
            }
            break;
        }
    }
    outcome
}
