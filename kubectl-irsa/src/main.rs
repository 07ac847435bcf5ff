//! kubectl-irsa.
fn main() {}
