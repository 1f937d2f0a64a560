//! Edge: load from this host on a port of a node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use bench::benchmark::wrk;
use bench::benchmark::wrk::Answers;
use bench::benchmark::{Load, Route};
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::process;

/// Clients while pods are replaced, and how often each asks.
const CLIENTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(10);
/// A request that takes longer has failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a Service may take until it leads to a pod that is ready.
const REACHED_LIMIT: Duration = Duration::from_secs(60);

/// A service behind a port of a node.
#[derive(Clone, Debug)]
pub struct Target {
    /// `http://10.0.0.1:30001`
    pub url: String,
    client: reqwest::Client,
}

impl Target {
    /// At this address.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn at(url: String) -> Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build();
        let client = client.map_err(|error| Error::prerequisite("cannot create the HTTP client").cause(error))?;
        Ok(Self { url, client })
    }

    async fn answers(&self, path: &str) -> bool {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn await_answer(&self) -> Result<()> {
        let deadline = Instant::now() + REACHED_LIMIT;
        let mut ticks = interval(Duration::from_millis(50));
        while !self.answers("/readyz").await {
            if Instant::now() > deadline {
                return Err(Error::cluster(format!("{} does not answer from this host", self.url))
                    .cause("pods behind it are ready")
                    .hint("run this on the host of the cluster's nodes"));
            }
            ticks.tick().await;
        }
        Ok(())
    }

    /// What the service says of how it runs.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn health(&self) -> Result<String> {
        let failure = |error| Error::cluster(format!("{}/healthz does not answer", self.url)).cause(error);
        let answer = self
            .client
            .get(format!("{}/healthz", self.url))
            .send()
            .await
            .map_err(failure)?;
        answer.text().await.map_err(failure)
    }

    /// Puts the orders into its table that each load begins with.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn fill(&self) -> Result<()> {
        let request = self.client.post(format!("{}/create_orders", self.url));
        let request = request.header("content-type", "application/json").body(wrk::orders());
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        let failure = |error| Error::cluster("the orders to read cannot be written").cause(error);
        answer.map_err(failure).map(|_| ())
    }

    /// Puts a load on it.
    ///
    /// # Errors
    /// When wrk is missing, fails, or prints something unforeseen.
    pub async fn load(&self, cache: &Cache, load: Load, seconds: u32) -> Result<Answers> {
        let mut arguments = wrk::arguments(load.connections, seconds).to_vec();
        let scratch = cache.scratch("load")?;
        if load.route == Route::Write {
            let path = scratch.path.join("load.lua");
            cache.write(&path, wrk::write_script().as_bytes())?;
            arguments.extend(["--script".to_owned(), path.display().to_string()]);
        }
        arguments.push(format!("{}{}", self.url, wrk::path(load.route)));
        let output = process::capture(process::command("wrk", arguments)).await?;
        let found = output.success.then(|| wrk::parse(&output.stdout)).flatten();
        found.ok_or_else(|| {
            Error::prerequisite("wrk did not measure anything").detail(format!("{}{}", output.stdout, output.stderr))
        })
    }

    /// Asks it steadily, as clients do, until the value is dropped.
    pub fn traffic(&self) -> Traffic {
        let counts = Arc::new(Counts::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (target, counts) = (self.clone(), Arc::clone(&counts));
            clients.spawn(async move {
                let mut ticks = interval(PAUSE);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    let good = target.answers(wrk::path(Route::Read)).await;
                    let count = if good { &counts.answered } else { &counts.failed };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Traffic {
            counts,
            _clients: clients,
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU32,
    failed: AtomicU32,
}

/// Clients that go on asking.
pub struct Traffic {
    counts: Arc<Counts>,
    _clients: JoinSet<()>,
}

impl Traffic {
    /// Waits until every client can have had an answer.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn flows(&self) -> Result<()> {
        let mut ticks = interval(PAUSE);
        let flows = async {
            while self.counts.answered.load(Ordering::Relaxed) < 2 * CLIENTS {
                ticks.tick().await;
            }
        };
        let flowing = timeout(REACHED_LIMIT, flows).await;
        flowing.map_err(|_| Error::cluster("the service does not answer the clients"))
    }

    /// How many requests have failed so far.
    pub fn failed(&self) -> u32 {
        self.counts.failed.load(Ordering::Relaxed)
    }
}
