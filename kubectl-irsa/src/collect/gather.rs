//! From a target to facts, live: the cluster, AWS and the probe side by side.

use irsa::derive::Derived;
use irsa::facts::{Facts, Request, Why};
use irsa::rounds::{CollectError, of_cluster, without_probe};
use irsa::target::Target;

use super::cluster::Api;
use super::identity::{AccountWide, Cloud, Early};
use super::probe::Choice;

/// Reads everything about a target: one [`Facts`] for each of its pods, newest first; for a workload or a service account
/// without pods, one. Where AWS is not asked, `cloud` says why.
///
/// # Errors
/// The target cannot be read.
pub async fn gather(
    api: &Api,
    cloud: Result<&Cloud, Why>,
    namespace: &str,
    target: &Target,
    container: Option<&str>,
    kubectl_flags: &[String],
) -> Result<Vec<Facts>, CollectError> {
    let request = Request {
        kind: target.kind.word().to_owned(),
        name: target.name.clone(),
        container: container.map(str::to_owned),
        kubectl_flags: kubectl_flags.to_vec(),
        aws_flags: cloud.as_ref().map_or_else(|_| Vec::new(), |cloud| cloud.session.cli_flags()),
        live: true,
    };
    let cloud = match cloud {
        Ok(cloud) => cloud,
        Err(why) => {
            let read = Box::pin(of_cluster(api, namespace, target, request, &why, async |_, _| ()));
            return Ok(read.await?.0);
        }
    };
    let pending = Why::NotAsked(String::from("AWS is asked once the cluster has answered"));
    // What AWS is slow to answer must not hold up the cluster's answers.
    let (wide, subjects) = tokio::join!(
        Box::pin(AccountWide::ask(cloud, api)),
        Box::pin(of_cluster(api, namespace, target, request, &pending, async |accounts, pods| {
            Early::ask(cloud, api, namespace, accounts, pods).await
        }))
    );
    let (mut subjects, early) = subjects?;
    // The probe takes longest: it starts while AWS is asked.
    let excluded = Why::Excluded(String::from("--no-probe"));
    let (mut asked, mut candidates, mut unprobed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, facts) in subjects.iter().enumerate() {
        let derived = Derived::of(facts);
        asked.push(cloud.asked(&derived));
        match &cloud.probing {
            Some(probing) => candidates.push(probing.candidate(index, &derived)),
            None => unprobed.push(without_probe(&derived, &excluded)),
        }
    }
    let choice = match &cloud.probing {
        Some(probing) => Ok((probing, Choice::among(&subjects, &candidates))),
        None => Err(unprobed),
    };
    let probe = async {
        match choice {
            Ok((probing, choice)) => Box::pin(probing.look(api, choice)).await,
            Err(unprobed) => unprobed,
        }
    };
    let complete = Box::pin(cloud.complete(api, &wide, &early, &asked, &mut subjects));
    let ((), probed) = tokio::join!(complete, probe);
    for (facts, probed) in subjects.iter_mut().zip(probed) {
        facts.probed = probed;
    }
    Ok(subjects)
}
