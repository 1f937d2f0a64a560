//! What is measured of each variant.

/// How many connections at once.
pub const CONNECTIONS: [u32; 3] = [1, 16, 256];

/// What is asked for under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `GET /`: no database.
    Root,
    /// `GET /orders/{id}`: one row.
    Read,
    /// `POST /create_order`: one row written and committed.
    Write,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Root, Self::Read, Self::Write];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Root => "GET /",
            Self::Read => "one order read",
            Self::Write => "one order written",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A route under so many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// What is asked for.
    pub route: Route,
    /// How many connections at once.
    pub connections: u32,
}

impl Load {
    /// Every route with every number of connections.
    pub fn all() -> impl Iterator<Item = Self> {
        let with = |route| CONNECTIONS.map(|connections| Self { route, connections });
        Route::ALL.into_iter().flat_map(with)
    }
}

/// A figure's kind. Their order is that of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Bytes that a node pulls.
    ImagePulled,
    /// Bytes of the program in the image.
    ImageUnpacked,
    /// From asking a registry on this host for the image until it is unpacked.
    Pull,
    /// The runtime alone: from its start to the service's first answer.
    Start,
    /// How long processors worked for that.
    StartProcessor,
    /// A pod, from scheduled to ready.
    PodStart,
    /// Many pods at once, from the first one scheduled to the last one ready.
    PodsAtOnce,
    /// The container's memory after its work.
    MemoryIdle,
    /// The container's memory under load.
    MemoryLoaded,
    /// Answers a second.
    Rate(Load),
    /// The time within which half of the answers came.
    Median(Load),
    /// The time within which 99 of 100 answers came.
    P99(Load),
    /// How long processors worked in the container for an answer.
    Processor(Load),
    /// From one replica to many, all ready.
    ScaleUp,
    /// From many to one, the others gone, under load.
    ScaleDown,
    /// Requests that failed meanwhile.
    ScaleDownFailed,
    /// A pod replaced by another one under load.
    Rollout,
    /// Requests that failed meanwhile.
    RolloutFailed,
    /// From the end of a pod's drain until it is gone.
    Gone,
}

impl Quantity {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let under_load = |quantity: fn(Load) -> Self| Load::all().map(quantity);
        let mut all = vec![
            Self::ImagePulled,
            Self::ImageUnpacked,
            Self::Pull,
            Self::Start,
            Self::StartProcessor,
            Self::PodStart,
            Self::PodsAtOnce,
            Self::MemoryIdle,
            Self::MemoryLoaded,
        ];
        all.extend(under_load(Self::Rate));
        all.extend(under_load(Self::Median));
        all.extend(under_load(Self::P99));
        all.extend(under_load(Self::Processor));
        all.extend([
            Self::ScaleUp,
            Self::ScaleDown,
            Self::ScaleDownFailed,
            Self::Rollout,
            Self::RolloutFailed,
            Self::Gone,
        ]);
        all
    }

    /// Its name for programs.
    pub fn id(self) -> String {
        let under = |what: &str, load: Load| format!("{what}/{}/{}", load.route.id(), load.connections);
        match self {
            Self::ImagePulled => "imagePulled".to_owned(),
            Self::ImageUnpacked => "imageUnpacked".to_owned(),
            Self::Pull => "pull".to_owned(),
            Self::Start => "start".to_owned(),
            Self::StartProcessor => "startProcessor".to_owned(),
            Self::PodStart => "podStart".to_owned(),
            Self::PodsAtOnce => "podsAtOnce".to_owned(),
            Self::MemoryIdle => "memoryIdle".to_owned(),
            Self::MemoryLoaded => "memoryLoaded".to_owned(),
            Self::Rate(load) => under("requestsPerSecond", load),
            Self::Median(load) => under("p50", load),
            Self::P99(load) => under("p99", load),
            Self::Processor(load) => under("processor", load),
            Self::ScaleUp => "scaleUp".to_owned(),
            Self::ScaleDown => "scaleDown".to_owned(),
            Self::ScaleDownFailed => "scaleDownFailed".to_owned(),
            Self::Rollout => "rollout".to_owned(),
            Self::RolloutFailed => "rolloutFailed".to_owned(),
            Self::Gone => "gone".to_owned(),
        }
    }

    /// Its name for people; `replicas` are how many pods are many.
    pub fn title(self, replicas: i32) -> String {
        let under = |what: &str, load: Load| {
            let many = if load.connections == 1 { "" } else { "s" };
            format!("{}, {} connection{many}: {what}", load.route.title(), load.connections)
        };
        match self {
            Self::ImagePulled => "image, as it is pulled".to_owned(),
            Self::ImageUnpacked => "program in the image".to_owned(),
            Self::Pull => "pull and unpack the image".to_owned(),
            Self::Start => "runtime started → first answer".to_owned(),
            Self::StartProcessor => "processor time of that start".to_owned(),
            Self::PodStart => "pod scheduled → ready".to_owned(),
            Self::PodsAtOnce => format!("{replicas} pods at once → all ready"),
            Self::MemoryIdle => "container memory, idle".to_owned(),
            Self::MemoryLoaded => "container memory, 256 connections".to_owned(),
            Self::Rate(load) => under("requests per second", load),
            Self::Median(load) => under("p50", load),
            Self::P99(load) => under("p99", load),
            Self::Processor(load) => under("processor time a request", load),
            Self::ScaleUp => format!("scale 1 → {replicas}, all ready"),
            Self::ScaleDown => format!("scale {replicas} → 1 under load, others gone"),
            Self::ScaleDownFailed => "requests failed in that scale-down".to_owned(),
            Self::Rollout => "rollout under load".to_owned(),
            Self::RolloutFailed => "requests failed in that rollout".to_owned(),
            Self::Gone => "pod gone after its drain".to_owned(),
        }
    }

    /// In what its figures are.
    pub fn unit(self) -> &'static str {
        match self {
            Self::ImagePulled | Self::ImageUnpacked | Self::MemoryIdle | Self::MemoryLoaded => "MB",
            Self::Pull | Self::Start | Self::StartProcessor | Self::Median(_) | Self::P99(_) => "ms",
            Self::PodStart | Self::PodsAtOnce | Self::ScaleUp | Self::ScaleDown | Self::Rollout | Self::Gone => "s",
            Self::Rate(_) => "/s",
            Self::Processor(_) => "µs",
            Self::ScaleDownFailed | Self::RolloutFailed => "",
        }
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Self::Rate(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quantity_has_an_id_of_its_own_and_stands_in_the_order_of_tables() {
        let all = Quantity::all();
        assert!(all.is_sorted());
        let ids: std::collections::BTreeSet<String> = all.iter().map(|quantity| quantity.id()).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!(all.len(), 15 + 4 * 9);
    }
}
