//! What is measured of one variant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::bench_namespace::BenchNamespace;
use crate::load::Target;
use crate::node;
use crate::pods::{Pods, Seen};
use bench::benchmark::node as script;
use bench::benchmark::node::Account;
use bench::benchmark::pods::container_id;
use bench::benchmark::{Load, Plan, Quantity, Route, Variant};
use diagnostics::{Error, Result};
use host::cache::Cache;

/// What was measured of a variant.
pub type Figures = Vec<(Quantity, f64)>;

/// What opens the connections to the database, before memory is looked at.
const WARM_UP: Load = Load {
    route: Route::Read,
    connections: 16,
};
/// The load under which memory is looked at.
const HEAVY: Load = Load {
    route: Route::Read,
    connections: 256,
};

/// A variant that runs in the cluster.
pub struct Runner<'a> {
    /// The namespace of the run.
    pub namespace: &'a BenchNamespace,
    /// The node that it runs on.
    pub node: &'a str,
    /// Which one it is.
    pub variant: &'a Variant,
    /// Its image, as the node knows it.
    pub image: &'a str,
    /// The program that its RuntimeClass stands for.
    pub runtime: &'a str,
    /// The pod of the database.
    pub database: &'a str,
    /// Where it is reached.
    pub target: Target,
    /// Its pods.
    pub pods: Pods,
}

impl Runner<'_> {
    /// The runtime alone, without Kubernetes.
    pub async fn start(&self, plan: &Plan) -> Result<Figures> {
        let what = format!("`{}` does not run on node `{}`", self.variant.name, self.node);
        // The first one finds its files in no cache: it does not count.
        let count = (plan.starts + 1).to_string();
        let arguments = [self.runtime, self.image, self.variant.form.program(), &count];
        let said = node::run(self.node, &what, script::START, &arguments).await?;
        let starts = script::starts(&said).filter(|starts| starts.len() > 1);
        let starts = starts.ok_or_else(|| Error::cluster(&what).detail(&said))?;
        let figures = |start: &script::Start| {
            [
                (Quantity::Start, start.answer_ms),
                (Quantity::StartProcessor, start.processor_ms),
            ]
        };
        Ok(starts[1..].iter().flat_map(figures).collect())
    }

    /// From no pod to one that has worked, and what it then holds.
    pub async fn come_up(&mut self, cache: &Cache, plan: &Plan) -> Result<Figures> {
        let took = self.scheduled_to_ready(1).await?;
        self.target.await_answer().await?;
        self.verify_native_code().await?;
        self.fill().await?;
        self.run_load(cache, plan, WARM_UP).await?;
        Ok(vec![
            (Quantity::PodStart, took),
            (Quantity::MemoryIdle, self.account().await?.memory_mb),
        ])
    }

    /// Each load finds the same table.
    pub async fn load(&self, cache: &Cache, plan: &Plan, load: Load) -> Result<Figures> {
        self.fill().await?;
        let before = self.account().await?;
        let halfway = async {
            tokio::time::sleep(Duration::from_secs(plan.seconds.into()) / 2).await;
            self.account().await
        };
        let (answers, under_load) = tokio::try_join!(self.run_load(cache, plan, load), halfway)?;
        let worked = self.account().await?.processor_us - before.processor_us;
        let mut figures = vec![
            (Quantity::Rate(load), answers.requests_per_second),
            (Quantity::Median(load), answers.median_ms),
            (Quantity::P99(load), answers.p99_ms),
            (Quantity::Processor(load), worked / f64::from(answers.count)),
        ];
        if load == HEAVY {
            figures.push((Quantity::MemoryLoaded, under_load.memory_mb));
        }
        Ok(figures)
    }

    /// One pod becomes many and one again, is replaced, and goes; all but the last under load.
    pub async fn change(&mut self, plan: &Plan) -> Result<Figures> {
        let name = &self.variant.name;
        let start = Instant::now();
        self.namespace.scale(name, plan.replicas).await?;
        let up = self
            .pods
            .await_state("ready", |seen| ready(seen) == plan.replicas)
            .await?
            - start;

        let traffic = self.target.traffic();
        traffic.flows().await?;
        let start = Instant::now();
        self.namespace.scale(name, 1).await?;
        let down = self.pods.await_state("gone", |seen| seen.len() == 1).await? - start;
        let failed_down = traffic.failed();

        let old: BTreeSet<String> = self.pods.seen.keys().cloned().collect();
        let start = Instant::now();
        self.namespace.restart(name).await?;
        let is_replaced =
            |seen: &BTreeMap<String, Seen>| ready(seen) == 1 && !seen.keys().any(|name| old.contains(name));
        let rollout = self.pods.await_state("replaced", is_replaced).await? - start;
        let failed_rollout = traffic.failed() - failed_down;
        drop(traffic);

        let start = Instant::now();
        self.namespace.scale(name, 0).await?;
        let gone = self.pods.await_state("gone", BTreeMap::is_empty).await? - start;
        Ok(vec![
            (Quantity::ScaleUp, up.as_secs_f64()),
            (Quantity::ScaleDown, down.as_secs_f64()),
            (Quantity::ScaleDownFailed, f64::from(failed_down)),
            (Quantity::Rollout, rollout.as_secs_f64()),
            (Quantity::RolloutFailed, f64::from(failed_rollout)),
            (Quantity::Gone, gone.as_secs_f64() - f64::from(plan.drain_seconds)),
        ])
    }

    /// From no pod to many.
    pub async fn scale_up(&mut self, plan: &Plan) -> Result<Figures> {
        let took = self.scheduled_to_ready(plan.replicas).await?;
        self.namespace.scale(&self.variant.name, 0).await?;
        self.pods.await_state("gone", BTreeMap::is_empty).await?;
        Ok(vec![(Quantity::PodsAtOnce, took)])
    }

    /// Seconds from the first pod scheduled to the last one ready.
    async fn scheduled_to_ready(&mut self, replicas: i32) -> Result<f64> {
        self.namespace.scale(&self.variant.name, replicas).await?;
        let end = self.pods.await_state("ready", |seen| ready(seen) == replicas).await?;
        let first = self.pods.seen.values().filter_map(|pod| pod.scheduled).min();
        Ok((end - first.unwrap_or(end)).as_secs_f64())
    }

    /// Interpreted code that is taken for compiled code would be a wrong figure.
    async fn verify_native_code(&self) -> Result<()> {
        let (health, mode) = (self.target.health().await?, self.variant.form.mode());
        if health.contains(&format!("\"{mode}\"")) {
            Ok(())
        } else {
            Err(
                Error::cluster(format!("`{}` does not run as `{mode}`", self.variant.name))
                    .detail(health)
                    .hint("`deploy-tool doctor` says why"),
            )
        }
    }

    /// Makes its table what it was before each load.
    async fn fill(&self) -> Result<()> {
        let statement = format!("TRUNCATE TABLE `{}`.orders", self.variant.name);
        self.namespace.sql(self.database, &statement).await?;
        self.target.fill().await
    }

    async fn run_load(&self, cache: &Cache, plan: &Plan, load: Load) -> Result<bench::benchmark::wrk::Answers> {
        let answers = self.target.load(cache, load, plan.seconds).await?;
        // A service that has more requests than it can answer in time refuses some (503 `busy`), and the slowest of these
        // has that with 256 connections. Errors are quicker than answers: with many of them a figure says nothing.
        if plan.is_representative() && answers.errors > u64::from(answers.count) / 20 {
            return Err(Error::cluster(format!(
                "`{}` has failed to answer {} of {} requests",
                self.variant.name, answers.errors, answers.count
            )));
        }
        Ok(answers)
    }

    async fn account(&self) -> Result<Account> {
        let what = format!("cannot look at the memory of `{}`", self.variant.name);
        let pod = self.pods.seen.values().next();
        let id = pod.and_then(|seen| container_id(&seen.pod));
        let id = id.ok_or_else(|| Error::cluster(&what).cause("it has no container"))?;
        let said = node::run(self.node, &what, script::ACCOUNT, &[id]).await?;
        script::account(&said).ok_or_else(|| Error::cluster(&what).detail(said))
    }
}

/// How many pods are ready.
fn ready(seen: &BTreeMap<String, Seen>) -> i32 {
    let ready = seen.values().filter(|pod| pod.ready.is_some());
    i32::try_from(ready.count()).unwrap_or(i32::MAX)
}
