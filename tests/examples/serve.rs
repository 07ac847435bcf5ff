//! Serves a world's cluster and AWS until stdin ends, for trying the plugin, kubectl or the AWS CLI by hand: prints the
//! environment that leads to them, for a shell to read. A number after the file gives the workload of the world's pod that many
//! pods more.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::kubelet::Kubelet;
use irsa_tests::world::World;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut world = World::load(std::path::Path::new(&arguments.next().unwrap())).unwrap();
    if let Some(count) = arguments.next() {
        let pod = world.objects.iter().find(|object| object.resource.kind == "Pod").unwrap();
        let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
        world.add_fleet(&namespace, &name, count.parse().unwrap()).unwrap();
    }
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let kubelet = Kubelet::start(&world, &kube, Some(&aws));
    let directory = tempfile::tempdir().unwrap();
    println!("export KUBECONFIG='{}'", kube.kubeconfig(directory.path()).display());
    for (name, value) in aws.env(directory.path()) {
        println!("export {name}='{value}'");
    }
    let _ = std::io::stdin().lines().last();
    for seen in aws.requests() {
        println!("# {} {} {:?}", seen.host, seen.action, seen.status);
    }
    for problem in kubelet.iter().flat_map(Kubelet::problems).chain(aws.problems()) {
        println!("# {problem}");
    }
}
