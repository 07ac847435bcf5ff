//! Serves a world's cluster until stdin ends, for trying the plugin by hand: prints the path of a kubeconfig.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use irsa_tests::kube_api::FakeKube;
use irsa_tests::world::World;

fn main() {
    let world = World::load(std::path::Path::new(&std::env::args().nth(1).unwrap())).unwrap();
    let kube = FakeKube::start(&world);
    let directory = tempfile::tempdir().unwrap();
    println!("{}", kube.kubeconfig(directory.path()).display());
    let _ = std::io::stdin().lines().last();
}
