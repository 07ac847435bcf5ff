//! What a kubeconfig says about the EKS cluster: its name, region and account, and how its user signs in to AWS.

use kube::config::{ExecConfig, Kubeconfig};

use crate::collect::cluster::{Access, exec, kubeconfig};
use irsa::aws::arn::Arn;

/// What is known of the cluster before anything is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EksHints {
    pub(crate) cluster: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) account: Option<String>,
    /// The profile that the kubeconfig's exec plugin signs in with.
    pub(crate) profile: Option<String>,
}

impl EksHints {
    /// Reads the context that the flags choose.
    pub fn of(kubeconfig: &Kubeconfig, access: &Access) -> Self {
        let chosen = access.context.as_ref().or(kubeconfig.current_context.as_ref());
        let context = chosen.and_then(|name| kubeconfig::context(kubeconfig, name));
        let cluster = access.cluster.as_ref().or(context.map(|context| &context.cluster));
        let user = access.user.as_ref().or(context.and_then(|context| context.user.as_ref()));
        let exec = user.and_then(|name| kubeconfig::user(kubeconfig, name)?.exec.as_ref());
        let server = cluster.and_then(|name| kubeconfig::cluster(kubeconfig, name)?.server.as_ref());

        // The plugin's arguments are what really signs in; names of contexts are for people.
        let mut hints = exec.map(Self::of_exec).unwrap_or_default();
        for name in [cluster, chosen].into_iter().flatten() {
            hints.complete(Self::of_arn(name).or_else(|| Self::of_eksctl(name)).unwrap_or_default());
        }
        let server = access.server.as_ref().or(server);
        hints.complete(server.and_then(|url| Self::of_server(url)).unwrap_or_default());
        hints
    }

    fn complete(&mut self, other: Self) {
        // The region of another cluster must not be laid over this one's name.
        if self.cluster.is_some() && other.cluster.is_some() && self.cluster != other.cluster {
            return;
        }
        self.cluster = self.cluster.take().or(other.cluster);
        self.region = self.region.take().or(other.region);
        self.account = self.account.take().or(other.account);
    }

    /// `aws --region R eks get-token --cluster-name N --profile P`, or `aws-iam-authenticator token -i N`.
    fn of_exec(exec: &ExecConfig) -> Self {
        Self {
            cluster: exec::argument(exec, &["--cluster-name", "-i", "--cluster-id"]),
            region: exec::argument(exec, &["--region"])
                .or_else(|| exec::variable(exec, "AWS_REGION"))
                .or_else(|| exec::variable(exec, "AWS_DEFAULT_REGION")),
            account: None,
            profile: exec::profile(exec),
        }
    }

    /// `arn:aws:eks:eu-west-1:111122223333:cluster/prod`, as `aws eks update-kubeconfig` names clusters and contexts.
    fn of_arn(name: &str) -> Option<Self> {
        let Arn { region, account, resource, .. } = Arn::split(name).filter(|arn| arn.service == "eks")?;
        let cluster = resource.strip_prefix("cluster/")?;
        Some(Self {
            cluster: Some(cluster.to_owned()),
            region: Some(region.to_owned()),
            account: Some(account.to_owned()),
            profile: None,
        })
    }

    /// `user@prod.eu-west-1.eksctl.io`, as eksctl names them.
    fn of_eksctl(name: &str) -> Option<Self> {
        let name = name.rsplit('@').next()?.strip_suffix(".eksctl.io")?;
        let (cluster, region) = name.rsplit_once('.')?;
        Some(Self { cluster: Some(cluster.to_owned()), region: Some(region.to_owned()), ..Self::default() })
    }

    /// `https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com`.
    fn of_server(url: &str) -> Option<Self> {
        let host = url.strip_prefix("https://")?.split(['/', ':']).next()?;
        let host = host.strip_suffix(".cn").unwrap_or(host);
        let region = host.strip_suffix(".eks.amazonaws.com")?.rsplit('.').next()?;
        Some(Self { region: Some(region.to_owned()), ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(yaml: &str, access: &Access) -> EksHints {
        EksHints::of(&Kubeconfig::from_yaml(yaml).unwrap(), access)
    }

    const ARN: &str = "
current-context: prod
contexts:
- name: prod
  context: {cluster: 'arn:aws:eks:eu-west-1:111122223333:cluster/prod', user: me}
clusters:
- name: arn:aws:eks:eu-west-1:111122223333:cluster/prod
  cluster: {server: 'https://AB12.gr7.eu-west-1.eks.amazonaws.com'}
users:
- name: me
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [--region, eu-west-1, eks, get-token, --cluster-name, prod, --output, json]
      env: [{name: AWS_PROFILE, value: shop}]
";

    #[test]
    fn what_aws_eks_update_kubeconfig_writes() {
        let found = hints(ARN, &Access::default());
        assert_eq!(found.cluster.as_deref(), Some("prod"));
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        assert_eq!(found.account.as_deref(), Some("111122223333"));
        assert_eq!(found.profile.as_deref(), Some("shop"));
    }

    #[test]
    fn another_user_does_not_lend_its_profile() {
        let access = Access { user: Some(String::from("other")), ..Access::default() };
        assert_eq!(hints(ARN, &access).profile, None);
    }

    #[test]
    fn what_eksctl_writes() {
        let yaml = "
current-context: me@blue.us-east-2.eksctl.io
contexts: [{name: me@blue.us-east-2.eksctl.io, context: {cluster: blue.us-east-2.eksctl.io, user: me}}]
users: [{name: me, user: {exec: {command: aws-iam-authenticator, args: [token, -i, blue]}}}]
";
        let found = hints(yaml, &Access::default());
        assert_eq!((found.cluster.as_deref(), found.region.as_deref()), (Some("blue"), Some("us-east-2")));
    }

    #[test]
    fn a_region_of_another_cluster_is_not_taken() {
        let yaml = "
current-context: c
contexts: [{name: c, context: {cluster: 'arn:aws:eks:eu-west-1:111122223333:cluster/old', user: me}}]
users: [{name: me, user: {exec: {command: aws, args: [eks, get-token, --cluster-name=new]}}}]
";
        let found = hints(yaml, &Access::default());
        assert_eq!((found.cluster.as_deref(), found.region, found.account), (Some("new"), None, None));
    }

    #[test]
    fn a_kubeconfig_that_tells_nothing() {
        let yaml = "{current-context: kind, contexts: [{name: kind, context: {cluster: kind, user: me}}]}";
        assert_eq!(hints(yaml, &Access::default()), EksHints::default());
    }
}
