use std::path::PathBuf;

use clap::Parser;

use deploy_tool::cli::SourceArguments;

/// Measures Wasm beside the native build as pods of a kind cluster: size, start, memory, requests per second, waiting times,
/// scaling and rollouts under load, each variant in turn, round by round
///
/// Everything runs in a namespace of its own on one node, takes the host's processors for some minutes, and is deleted at
/// the end. The exit code is 10 when a figure is worse than in the run named by --compare.
#[derive(Debug, Parser)]
#[command(name = "bench-pods")]
pub struct BenchArguments {
    /// How to print
    #[command(flatten)]
    pub global: deploy_tool::cli::GlobalArguments,
    /// RuntimeClass to measure, also several times: further ones are compared with the first
    #[arg(long = "runtime-class", value_name = "NAME", default_value = deploy_tool::settings::DEFAULT_RUNTIME_CLASS)]
    pub runtime_classes: Vec<String>,
    /// Seconds instead of minutes: whether everything can be measured, not how much it is
    #[arg(long)]
    pub quick: bool,
    /// How often every variant has its turn [default: 3, or 1 with --quick]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: Option<u32>,
    /// Write the result as one HTML page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
    /// Write the result as JSON too, for `--compare`
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The JSON of an earlier run: fail where a ratio to the native build got worse
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// How many times worse is worse
    #[arg(long, value_name = "FACTOR", default_value_t = 1.2, requires = "compare", value_parser = threshold)]
    pub threshold: f64,
    /// Registry to measure pulls from, as the nodes know it: localhost:5001/bench [default: not measured]
    #[arg(long, value_name = "PREFIX")]
    pub registry: Option<String>,
    /// Node to measure on [default: the first that takes pods of the RuntimeClass]
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Context of the kubeconfig to act on, of a kind cluster
    #[arg(long, value_name = "NAME", hide_env_values = true, env = "DEPLOY_TOOL_CONTEXT", default_value = cluster::kubeconfig::default_context())]
    pub context: String,
    /// Namespace that is made for the run, and deleted at its end
    #[arg(long, short, value_name = "NAME", default_value = "bench")]
    pub namespace: String,
    /// From what the images are built
    #[command(flatten)]
    pub source: SourceArguments,
}

fn threshold(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (1.0..=100.0).contains(&factor) => Ok(factor),
        _ => Err("write a factor such as 1.2, between 1 and 100".to_owned()),
    }
}
