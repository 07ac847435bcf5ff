//! The real probe in a pod of the fake.

use super::*;

#[test]
fn a_probe_beside_its_target() {
    let shop = shop("{}", ("", ""));
    let report = shop.report(&probe("irsa-probe-1"));
    assert_eq!(report["ended"], "complete", "{report}");
    println!("{report:#}");
}
