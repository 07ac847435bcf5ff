//! `kubectl irsa`: why can this pod not reach AWS?

use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_irsa::cli::main()
}
