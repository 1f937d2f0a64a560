//! The command line of deploy-tool: parse, run, end with the exit code that the outcome stands for.

use std::process::ExitCode;

fn main() -> ExitCode {
    deploy_tool::main(std::env::args_os())
}
