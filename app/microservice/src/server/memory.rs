//! A bound on the memory that requests use together, whatever 1,024 clients send at once.
//!
//! The guest's memory only grows, and the pod that outgrows its limit is killed with every request
//! in it. So large bodies, lists and answers take their shares of budgets; what does not fit is
//! refused for the moment, or waits for its turn.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::{Code, Problem};

/// Bytes per permit: semaphores count to 2^29 on a 32-bit target.
const UNIT: usize = 1024;

/// Up to here a body or an answer is free: with all connections in use that makes 16 MiB.
pub const FREE: usize = 16 * 1024;

/// Bodies that arrive or are worked on. The work takes several times their size: the orders, their
/// form for the database, the packets of the driver.
const BODIES: usize = 16 * 1024 * 1024;

/// The time in which a large list gets its turn.
const LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// Lists of orders in work.
const LISTS: usize = 8 * 1024 * 1024;

/// Answers that clients have yet to read.
const ANSWERS: usize = 24 * 1024 * 1024;

/// Memory that is taken until this is dropped.
#[derive(Debug, Default)]
pub struct Share {
    units: u32,
    permit: Option<OwnedSemaphorePermit>,
}

/// The budgets, apart from each other: slow senders and slow readers must not stop lists.
#[derive(Debug)]
pub struct Memory {
    bodies: Arc<Semaphore>,
    lists: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        let semaphore = |bytes| Arc::new(Semaphore::new(bytes / UNIT));
        Memory {
            bodies: semaphore(BODIES),
            lists: semaphore(LISTS),
            answers: semaphore(ANSWERS),
        }
    }
}

impl Memory {
    /// Lets the share of a body grow to as many bytes as have arrived. It does not wait: two bodies,
    /// each waiting for what the other has, would do so for ever.
    pub fn for_body(&self, bytes: usize, share: &mut Share) -> Result<(), Exhausted> {
        share.grow(&self.bodies, units(bytes, BODIES))
    }

    /// Waits for memory to make a list of about so many bytes.
    pub async fn for_list(&self, bytes: usize) -> Result<Share, Exhausted> {
        let units = units(bytes, LISTS);
        if units == 0 {
            return Ok(Share::default());
        }
        // The inner result fails only when the semaphore is closed, which nobody does.
        let acquired = timeout(LIST_TIMEOUT, Arc::clone(&self.lists).acquire_many_owned(units)).await;
        let permit = acquired.map_err(|_| Exhausted)?.ok();
        Ok(Share { units, permit })
    }

    /// Memory for an answer of this many bytes until its client has read it.
    pub fn for_answer(&self, bytes: usize) -> Result<Share, Exhausted> {
        let mut share = Share::default();
        share.grow(&self.answers, units(bytes, ANSWERS))?;
        Ok(share)
    }
}

impl Share {
    fn grow(&mut self, budget: &Arc<Semaphore>, units: u32) -> Result<(), Exhausted> {
        let more = units.saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        let added = Arc::clone(budget).try_acquire_many_owned(more).map_err(|_| Exhausted)?;
        match &mut self.permit {
            Some(permit) => permit.merge(added),
            None => self.permit = Some(added),
        }
        self.units = units;
        Ok(())
    }
}

/// Other requests take all of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl From<Exhausted> for Problem {
    fn from(_: Exhausted) -> Problem {
        Problem::new(Code::BUSY, "too much is asked for at once; try again soon")
    }
}

/// The permits for so many bytes; the whole budget for more than there is.
fn units(bytes: usize, budget: usize) -> u32 {
    match bytes {
        0..=FREE => 0,
        _ => u32::try_from(bytes.min(budget).div_ceil(UNIT)).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_is_free() {
        assert_eq!(units(FREE, LISTS), 0);
        assert_eq!(units(FREE + 1, LISTS), 17);
        assert_eq!(units(usize::MAX, LISTS), 8 * 1024);
    }

    #[test]
    fn bodies_take_what_has_arrived() {
        let memory = Memory::default();
        let (mut one, mut other) = (Share::default(), Share::default());
        assert_eq!(memory.for_body(FREE, &mut one), Ok(()));
        assert_eq!(one.units, 0);
        for arrived in [FREE + 1, FREE * 2, BODIES - UNIT] {
            assert_eq!(memory.for_body(arrived, &mut one), Ok(()));
        }
        assert_eq!(memory.bodies.available_permits(), 1);
        assert_eq!(memory.for_body(FREE + 1, &mut other), Err(Exhausted));
        drop(one);
        assert_eq!(memory.for_body(FREE + 1, &mut other), Ok(()));
    }

    #[test]
    fn answers_are_refused_when_too_many_wait() {
        let memory = Memory::default();
        let all = memory.for_answer(ANSWERS).unwrap();
        assert!(memory.for_answer(FREE).is_ok());
        assert_eq!(memory.for_answer(FREE + 1).err(), Some(Exhausted));
        drop(all);
        assert!(memory.for_answer(FREE + 1).is_ok());
    }
}
