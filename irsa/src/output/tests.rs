//! What the reader sees, and what must never reach a terminal.

use super::samples::{all, broken, denied, fix, hostile, idle, long, sound, warned};
use super::{Format, Style, render};
use crate::diagnosis::Diagnosis;
use crate::repair::{Command, Fix, Placeholder};
use crate::text::safe;

const FORMATS: [Format; 5] = [Format::Text, Format::Short, Format::Json, Format::Yaml, Format::Markdown];

fn plain(diagnoses: &[Diagnosis], format: Format) -> String {
    render(diagnoses, format, &Style::default()).unwrap()
}

fn text(diagnosis: Diagnosis) -> String {
    plain(&[diagnosis], Format::Text)
}

fn several() -> Vec<Diagnosis> {
    let mut many = warned();
    many.target.represents =
        ["a", "b", "c", "d", "e", "f", "g"].map(|pod| format!("checkout-7d9f8b6c5d-{pod}")).to_vec();
    vec![many, denied()]
}

fn one_pod_more() -> Diagnosis {
    let mut diagnosis = broken();
    diagnosis.target.represents = vec!["checkout-7d9f8b6c5d-a".into()];
    diagnosis
}

#[test]
fn a_root_cause_with_a_consequence_and_another_fault() {
    insta::assert_snapshot!(text(broken()), @r#"
    ✗ broken, first of 2 faults: service account shop/checkout names its role under
      `eks.amazonaws.com/role_arn`; the webhook reads `eks.amazonaws.com/role-arn`

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout
      [annotation-key-typo]
      more: kubectl irsa explain annotation-key-typo

        annotation key
          expected   eks.amazonaws.com/role-arn
          found      eks.amazonaws.com/role_arn
                                           ^
          read from  get serviceaccount/checkout -n shop
                     .metadata.annotations["eks.amazonaws.com/role_arn"]

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ✗ service account  the annotation key is misspelt
        ✗ pod spec         access keys take precedence over the role
        ✗ injection        container app was not injected, although its service
                           account names a role (because of annotation-key-typo)
        – token file … permissions  not checked: this version reads Kubernetes only

      other containers: sidecar, init have no AWS identity (none)

      also broken
        2. container app has access keys from Secret aws-keys, which take precedence
           over its role [static-env-keys, inferred: another cause is possible]
           AWS_ACCESS_KEY_ID
             found      key AWS_ACCESS_KEY_ID of Secret aws-keys
             read from  get pod/checkout-7d9f8b6c5d-x2x4z -n shop
                        .spec.containers[0].env[2]
           fix
             remove the access keys from Secret aws-keys, then recreate the pods

      also found
        ! container app sets no region; SDKs that cannot reach the metadata service
          fail without one [region-missing]
            AWS_REGION
              expected   eu-west-1
              found      (none)
              read from  get pod/checkout-7d9f8b6c5d-x2x4z -n shop
                         .spec.containers[0].env

      not checked
        keys of Secret db: denied: secrets is forbidden: User "dev" cannot list
          resource "secrets" in API group "" in the namespace "shop"
          allow with: get secrets -n shop

      fix
        1. set the role under the right key
           kubectl annotate serviceaccount checkout -n shop --overwrite eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout
        2. restart the workload, so that the webhook injects the new pods
           kubectl rollout restart deployment/checkout -n shop
    "#);
}

#[test]
fn a_warning_only() {
    insta::assert_snapshot!(text(warned()), @r#"
    ✓ healthy, 1 warning: no problems found for pod/checkout-7d9f8b6c5d-x2x4z

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout
      proof: configuration only; no token was tried

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ! service account  the token's lifetime is clamped
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  skipped: excluded by --only or --skip

      found
        ! service account shop/checkout asks for a token lifetime of 60 s; the
          webhook raises it to 600 s [token-expiration-clamped]
            eks.amazonaws.com/token-expiration
              expected   600 or more
              found      60
              read from  sa.yaml:7:5 serviceaccount/checkout
                         .metadata.annotations["eks.amazonaws.com/token-expiration"]
            fix
              remove the annotation from the manifest
    "#);
}

#[test]
fn inconclusive_for_want_of_a_permission() {
    insta::assert_snapshot!(text(denied()), @r#"
    – inconclusive: no problem found in pod/checkout-7d9f8b6c5d-x2x4z so far; could
      not check: service account, token file

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        – service account  not checked: service account shop/checkout, see below
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  not checked: this version reads Kubernetes only

      not checked
        service account shop/checkout: denied: serviceaccounts "checkout" is
          forbidden: User "dev" cannot get resource "serviceaccounts" in API group
          "" in the namespace "shop"
        webhook registrations: no answer within 10 s

      to learn more
        run this again with these permissions
          get serviceaccounts -n shop
    "#);
}

#[test]
fn all_that_kubernetes_shows_is_sound() {
    insta::assert_snapshot!(text(sound()), @r#"
    – inconclusive: no problem found in pod/checkout-7d9f8b6c5d-x2x4z so far; could
      not check: token file and beyond

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ✓ service account  3 checks passed
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  not checked: this version reads Kubernetes only
    "#);
}

#[test]
fn a_long_value_is_cut_around_the_difference() {
    insta::assert_snapshot!(text(long()), @r#"
    ✗ degraded: the role ARN of service account shop/checkout contains an invisible
      character

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout
      [role-arn-malformed]
      more: kubectl irsa explain role-arn-malformed

        role ARN
          expected   …ng-path/very-long-path/very-long-path/shop-checkout"
          found      …ng-path/very-long-path/very-long-path/shop-checkout\u{200b}"
                                                            not expected ^^^^^^^^
          read from  get serviceaccount/checkout -n shop
        caBundle
          found      LS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiB
                     DLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTi
                     BDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJT
                     iBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJ
                     … 388 more characters
          read from  get mutatingwebhookconfiguration/x

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ✗ service account  the role ARN is malformed
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  not checked: this version reads Kubernetes only

      fix
        set the correct ARN
    "#);
}

#[test]
fn no_identity_was_asked_for() {
    insta::assert_snapshot!(text(idle()), @r#"
    – not configured: serviceaccount/checkout asks for no AWS identity

      serviceaccount/checkout, namespace shop

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ✓ service account  3 checks passed
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  not checked: this version reads Kubernetes only
    "#);
}

#[test]
fn several_situations() {
    insta::assert_snapshot!(plain(&several(), Format::Text), @r#"
    2 distinct results across 9 pods: 1 inconclusive, 1 healthy

    ────────────────────────────────────────────────────────────────────────────────
    ✓ healthy, 1 warning: no problems found for pod/checkout-7d9f8b6c5d-x2x4z

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout
      7 other pods look the same: checkout-7d9f8b6c5d-a, checkout-7d9f8b6c5d-b,
        checkout-7d9f8b6c5d-c, checkout-7d9f8b6c5d-d, checkout-7d9f8b6c5d-e …
      proof: configuration only; no token was tried

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ! service account  the token's lifetime is clamped
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  skipped: excluded by --only or --skip

      found
        ! service account shop/checkout asks for a token lifetime of 60 s; the
          webhook raises it to 600 s [token-expiration-clamped]
            eks.amazonaws.com/token-expiration
              expected   600 or more
              found      60
              read from  sa.yaml:7:5 serviceaccount/checkout
                         .metadata.annotations["eks.amazonaws.com/token-expiration"]
            fix
              remove the annotation from the manifest

    ────────────────────────────────────────────────────────────────────────────────
    – inconclusive: no problem found in pod/checkout-7d9f8b6c5d-x2x4z so far; could
      not check: service account, token file

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        – service account  not checked: service account shop/checkout, see below
        ✓ pod spec         6 checks passed
        ✓ injection        1 check passed
        – token file … permissions  not checked: this version reads Kubernetes only

      not checked
        service account shop/checkout: denied: serviceaccounts "checkout" is
          forbidden: User "dev" cannot get resource "serviceaccounts" in API group
          "" in the namespace "shop"
        webhook registrations: no answer within 10 s

      to learn more
        run this again with these permissions
          get serviceaccounts -n shop
    "#);
}

#[test]
fn one_line_for_a_chat() {
    insta::assert_snapshot!(plain(&[one_pod_more(), denied(), long(), warned()], Format::Short), @r#"
    broken pod/checkout-7d9f8b6c5d-x2x4z +1 (shop): service account shop/checkout names its role under `eks.amazonaws.com/role_arn`; the webhook reads `eks.amazonaws.com/role-arn` [annotation-key-typo] fix: kubectl annotate serviceaccount checkout -n shop --overwrite eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout
    inconclusive pod/checkout-7d9f8b6c5d-x2x4z (shop): no problem found in pod/checkout-7d9f8b6c5d-x2x4z so far; could not check: service account, token file
    degraded pod/checkout-7d9f8b6c5d-x2x4z (shop): the role ARN of service account shop/checkout contains an invisible character [role-arn-malformed] fix: set the correct ARN
    healthy pod/checkout-7d9f8b6c5d-x2x4z (shop): no problems found for pod/checkout-7d9f8b6c5d-x2x4z [warnings: token-expiration-clamped]
    "#);
}

#[test]
fn a_ticket() {
    insta::assert_snapshot!(plain(&[one_pod_more()], Format::Markdown), @r#"
    ## broken: pod/checkout-7d9f8b6c5d-x2x4z

    **service account shop/checkout names its role under \`eks.amazonaws.com/role\_arn\`; the webhook reads \`eks.amazonaws.com/role-arn\`**

    - namespace `shop`, container `app`, service account `checkout`, owned by `Deployment/checkout`
    - 1 other pod looks the same: checkout-7d9f8b6c5d-a
    - root cause: [`annotation-key-typo`](<https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/annotation-key-typo.md>)
    - proof: configuration only; no token was tried
    - kubectl-irsa 0.1.0, observed at 2026-11-22T08:00:00Z

    ### Evidence

    - annotation key: expected `eks.amazonaws.com/role-arn`, found `eks.amazonaws.com/role_arn`; read from `get serviceaccount/checkout -n shop .metadata.annotations["eks.amazonaws.com/role_arn"]`

    ### Chain

    | link | | |
    | --- | --- | --- |
    | target | pass | pod/checkout-7d9f8b6c5d-x2x4z, Running |
    | service account | fail | the annotation key is misspelt |
    | pod spec | fail | access keys take precedence over the role |
    | injection | fail | container app was not injected, although its service account names a role (because of annotation-key-typo) |
    | token file … permissions | not checked | this version reads Kubernetes only |

    Other containers: sidecar, init have no AWS identity (none)

    ### Also broken

    1. [`static-env-keys`](<https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/static-env-keys.md>) (inferred: another cause is possible): container app has access keys from Secret aws-keys, which take precedence over its role
       - AWS\_ACCESS\_KEY\_ID: found `key AWS_ACCESS_KEY_ID of Secret aws-keys`; read from `get pod/checkout-7d9f8b6c5d-x2x4z -n shop .spec.containers[0].env[2]`
       - remove the access keys from Secret aws-keys, then recreate the pods
       - restart the workload, so that the webhook injects the new pods
         ```sh
         kubectl rollout restart deployment/checkout -n shop
         ```

    ### Also found

    1. [`region-missing`](<https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/region-missing.md>): container app sets no region; SDKs that cannot reach the metadata service fail without one
       - AWS\_REGION: expected `eu-west-1`, found (none); read from `get pod/checkout-7d9f8b6c5d-x2x4z -n shop .spec.containers[0].env`

    ### Not checked

    - keys of Secret db: denied: secrets is forbidden: User "dev" cannot list resource "secrets" in API group "" in the namespace "shop"; allow with `get secrets -n shop`

    ### Fix

    - set the role under the right key
      ```sh
      kubectl annotate serviceaccount checkout -n shop --overwrite eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout
      ```
    - restart the workload, so that the webhook injects the new pods
      ```sh
      kubectl rollout restart deployment/checkout -n shop
      ```
    "#);
}

#[test]
fn plain_ascii() {
    insta::assert_snapshot!(render(&[long()], Format::Text, &Style { unicode: false, ..Style::default() }).unwrap(), @r#"
    x degraded: the role ARN of service account shop/checkout contains an invisible
      character

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout
      [role-arn-malformed]
      more: kubectl irsa explain role-arn-malformed

        role ARN
          expected   ...ath/very-long-path/very-long-path/shop-checkout"
          found      ...ath/very-long-path/very-long-path/shop-checkout\u{200b}"
                                                          not expected ^^^^^^^^
          read from  get serviceaccount/checkout -n shop
        caBundle
          found      LS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiB
                     DLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTi
                     BDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJT
                     iBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJTiBDLS0tLS1CRUdJ
                     ... 388 more characters
          read from  get mutatingwebhookconfiguration/x

      chain
        + target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        x service account  the role ARN is malformed
        + pod spec         6 checks passed
        + injection        1 check passed
        - token file ... permissions  not checked: this version reads Kubernetes
                           only

      fix
        set the correct ARN
    "#);
}

#[test]
fn powershell_and_cmd_are_told_whose_commands_these_are() {
    let style = Style { posix: false, ..Style::default() };
    let page = |fixes: Vec<Fix>| {
        let mut diagnosis = long();
        diagnosis.root_cause.as_mut().unwrap().fixes = fixes;
        render(&[diagnosis], Format::Text, &style).unwrap()
    };
    let plain = || fix("restart it", &["kubectl", "rollout", "restart", "deployment/checkout"]);
    let annotate = Command::new(["kubectl", "annotate", "sa", "checkout"])
        .ask_after(String::from("role-arn="), Placeholder::RoleArn);
    let quoted = Fix::sample("annotate it", Some(annotate));
    assert!(!page(vec![plain()]).contains("bash"));
    let told = page(vec![plain(), quoted]);
    let (_, fixes) = told.split_once("  fix\n").unwrap();
    insta::assert_snapshot!(fixes, @r#"
        for bash (Git Bash, WSL); PowerShell and cmd treat quotes and $ differently
        1. restart it
           kubectl rollout restart deployment/checkout
        2. annotate it
           kubectl annotate sa checkout role-arn="${ROLE_ARN:?}"
    "#);
}

#[test]
fn all_there_is() {
    insta::assert_snapshot!(render(&[one_pod_more()], Format::Text, &Style { verbose: 1, ..Style::default() }).unwrap(), @r#"
    ✗ broken, first of 2 faults: service account shop/checkout names its role under
      `eks.amazonaws.com/role_arn`; the webhook reads `eks.amazonaws.com/role-arn`

      pod/checkout-7d9f8b6c5d-x2x4z, container app, service account shop/checkout,
      owned by Deployment/checkout
      1 other pod looks the same: checkout-7d9f8b6c5d-a
      [annotation-key-typo]
      more: kubectl irsa explain annotation-key-typo
      proof: configuration only; no token was tried
      https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/annotation-key-typo.md
      kubectl-irsa 0.1.0, observed at 2026-11-22T08:00:00Z

        annotation key
          expected   eks.amazonaws.com/role-arn
          found      eks.amazonaws.com/role_arn
                                           ^
          read from  get serviceaccount/checkout -n shop
                     .metadata.annotations["eks.amazonaws.com/role_arn"]

      chain
        ✓ target           pod/checkout-7d9f8b6c5d-x2x4z, Running
        ✗ service account  the annotation key is misspelt
        ✗ pod spec         access keys take precedence over the role
        ✗ injection        container app was not injected, although its service
                           account names a role (because of annotation-key-typo)
        – token file       not checked: the token file: this version reads
                           Kubernetes only
        – token claims     not checked: the token claims: this version reads
                           Kubernetes only
        – network to STS   does not apply: the pod is not on a node
        – issuer           not checked: the issuer: this version reads Kubernetes
                           only
        – OIDC provider    not checked: the OIDC provider: this version reads
                           Kubernetes only
        – IAM role         not checked: the IAM role: this version reads Kubernetes
                           only
        – trust policy     not checked: the trust policy: this version reads
                           Kubernetes only
        – STS              not checked: the STS: this version reads Kubernetes only
        – caller           not checked: the caller: this version reads Kubernetes
                           only
        – permissions      not checked: the permissions: this version reads
                           Kubernetes only

      other containers: sidecar, init have no AWS identity (none)

      also broken
        2. container app has access keys from Secret aws-keys, which take precedence
           over its role [static-env-keys, inferred: another cause is possible]
           AWS_ACCESS_KEY_ID
             found      key AWS_ACCESS_KEY_ID of Secret aws-keys
             read from  get pod/checkout-7d9f8b6c5d-x2x4z -n shop
                        .spec.containers[0].env[2]
           fix
             remove the access keys from Secret aws-keys, then recreate the pods

      consequences
        ✗ container app was not injected, although its service account names a role
          [not-injected, because of annotation-key-typo]
            AWS_ROLE_ARN
              expected   arn:aws:iam::111122223333:role/shop-checkout
              found      (none)
            AWS_WEB_IDENTITY_TOKEN_FILE
              expected   /var/run/secrets/eks.amazonaws.com/serviceaccount/token
              found      (none)
              read from  get pod/checkout-7d9f8b6c5d-x2x4z -n shop
                         .spec.containers[0].env

      also found
        ! container app sets no region; SDKs that cannot reach the metadata service
          fail without one [region-missing]
            AWS_REGION
              expected   eu-west-1
              found      (none)
              read from  get pod/checkout-7d9f8b6c5d-x2x4z -n shop
                         .spec.containers[0].env
        – container app uses its region's STS endpoint [regional-sts]
            AWS_STS_REGIONAL_ENDPOINTS
              found      regional
              read from  get pod/checkout-7d9f8b6c5d-x2x4z -n shop
                         .spec.containers[0].env

      not checked
        keys of Secret db: denied: secrets is forbidden: User "dev" cannot list
          resource "secrets" in API group "" in the namespace "shop"
          allow with: get secrets -n shop

      fix
        1. set the role under the right key
           kubectl annotate serviceaccount checkout -n shop --overwrite eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout
        2. restart the workload, so that the webhook injects the new pods
           kubectl rollout restart deployment/checkout -n shop
    "#);
}

#[test]
fn hostile_strings() {
    insta::assert_snapshot!(text(hostile("\u{1b}[2J\n\u{202e}")), @r#"
    ✗ broken, first of 2 faults: service account shop/checkout names its role under
      `eks.amazona\u{1b}[2J\n\u{202e}ws.com/role_arn`; the webhook reads
      `eks.amazonaws.com/role-arn`

      pod/checkout-7d9\u{1b}[2J\n\u{202e}f8b6c5d-x2x4z, container
      a\u{1b}[2J\n\u{202e}pp, service account
      sh\u{1b}[2J\n\u{202e}op/chec\u{1b}[2J\n\u{202e}kout, owned by
      Deploymen\u{1b}[2J\n\u{202e}t/checkout
      2 other pods look the same: \u{1b}[2J\n\u{202e}, x\u{1b}[2J\n\u{202e}
      [annotation-key-typo]
      more: kubectl irsa explain annotation-key-typo

        annotat\u{1b}[2J\n\u{202e}ion key
          expected   "eks.amazonaws\u{1b}[2J\n\u{202e}.com/role-arn"
          found      "eks.amazonaws\u{1b}[2J\n\u{202e}.com/role_arn"
                                                               ^
          read from  get serviceaccount/checkout -n shop
                     .metada\u{1b}[2J\n\u{202e}ta.annotations["eks.amazonaws.com/role_arn"]

      chain
        ✓ target           pod/checkout-7d9f8b\u{1b}[2J\n\u{202e}6c5d-x2x4z, Running
        ✗ service account  the annotation key is misspelt
        ✗ pod spec         access keys take precedence over the role
        ✗ injection        container app was not injected,
                           alth\u{1b}[2J\n\u{202e}ough its service account names a
                           role (because of annotation-key-typo)
        – token file       not c\u{1b}[2J\n\u{202e}hecked: the token file: this
                           vers\u{1b}[2J\n\u{202e}ion reads Kubernetes only
        – token claims     not c\u{1b}[2J\n\u{202e}hecked: the token claims: this
                           ver\u{1b}[2J\n\u{202e}sion reads Kubernetes only
        – issuer           not c\u{1b}[2J\n\u{202e}hecked: the issuer: this
                           versio\u{1b}[2J\n\u{202e}n reads Kubernetes only
        – OIDC provider    not c\u{1b}[2J\n\u{202e}hecked: the OIDC provider: this
                           ve\u{1b}[2J\n\u{202e}rsion reads Kubernetes only
        – IAM role         not c\u{1b}[2J\n\u{202e}hecked: the IAM role: this
                           versi\u{1b}[2J\n\u{202e}on reads Kubernetes only
        – trust policy     not c\u{1b}[2J\n\u{202e}hecked: the trust policy: this
                           ver\u{1b}[2J\n\u{202e}sion reads Kubernetes only
        – STS              not c\u{1b}[2J\n\u{202e}hecked: the STS: this
                           version\u{1b}[2J\n\u{202e} reads Kubernetes only
        – caller           not c\u{1b}[2J\n\u{202e}hecked: the caller: this
                           versio\u{1b}[2J\n\u{202e}n reads Kubernetes only
        – permissions      not c\u{1b}[2J\n\u{202e}hecked: the permissions: this
                           ver\u{1b}[2J\n\u{202e}sion reads Kubernetes only

      other containers: sid\u{1b}[2J\n\u{202e}ecar, in\u{1b}[2J\n\u{202e}it have no
        AWS identity (none), although a role is named: \u{1b}[2J\n\u{202e}

      also broken
        2. container app has access keys from Secret a\u{1b}[2J\n\u{202e}ws-keys,
           which take precedence over its role [static-env-keys, inferred: another
           cause is possible]
           AWS_ACCE\u{1b}[2J\n\u{202e}SS_KEY_ID
             found      "key AWS_ACCESS_KEY_I\u{1b}[2J\n\u{202e}D of Secret
                        aws-keys"
             read from  get pod/checkout-7d9f8b6c5d-x2x4z \u{1b}[2J\n\u{202e}-n shop
                        .spec.containers[0].env[2]
           fix
             remove the access keys from Secre\u{1b}[2J\n\u{202e}t aws-keys, then
             recreate the pods

      also found
        ! container app sets no region; SDKs that canno\u{1b}[2J\n\u{202e}t reach
          the metadata service fail without one [region-missing]
            AWS_R\u{1b}[2J\n\u{202e}EGION
              expected   "eu-w\u{1b}[2J\n\u{202e}est-1"
              found      (none)
              read from  get pod/checkout-7d9f8b6c5d-x2x4\u{1b}[2J\n\u{202e}z -n
                         shop .spec.containers[0].env

      not checked
        the tok\u{1b}[2J\n\u{202e}en file, the toke\u{1b}[2J\n\u{202e}n claims, the
          i\u{1b}[2J\n\u{202e}ssuer, the OIDC\u{1b}[2J\n\u{202e} provider, the
          IA\u{1b}[2J\n\u{202e}M role, the trus\u{1b}[2J\n\u{202e}t policy,
          the\u{1b}[2J\n\u{202e} STS, the c\u{1b}[2J\n\u{202e}aller, the
          per\u{1b}[2J\n\u{202e}missions: this version read\u{1b}[2J\n\u{202e}s
          Kubernetes only
        keys of \u{1b}[2J\n\u{202e}Secret db: denied: secrets is forbidden: User
          "dev" cannot list re\u{1b}[2J\n\u{202e}source "secrets" in API group "" in
          the namespace "shop"
          allow with: get secre\u{1b}[2J\n\u{202e}ts -n shop

      fix
        1. set the role und\u{1b}[2J\n\u{202e}er the right key
           kubectl annotate serviceaccount checkout -n shop --overwrite eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout $'\033[2J\012\342\200\256'
        2. restart the workload, so that t\u{1b}[2J\n\u{202e}he webhook injects the
           new pods
           kubectl rollout restart deployment/checkout -n shop $'\033[2J\012\342\200\256'
    "#);
}

/// Lines that must stay whole: commands, and words that are paths.
fn may_overhang(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("more: ");
    line.starts_with("kubectl ") || !line.trim_start_matches("read from").trim().contains(' ')
}

#[test]
fn a_page_keeps_its_width() {
    for width in [60, 80, 100] {
        for unicode in [true, false] {
            for verbose in [0, 1] {
                let style = Style { width, unicode, verbose, ..Style::default() };
                let mut samples = all();
                samples.push(hostile(&"very-long-name".repeat(20)));
                samples.push(hostile("漢字"));
                samples.extend(several());
                let text = render(&samples, Format::Text, &style).unwrap();
                for line in text.lines().filter(|line| !may_overhang(line)) {
                    assert!(super::style::width(line) <= width, "{width}: {line}");
                }
                assert!(
                    unicode || text.lines().filter(|line| !may_overhang(line)).all(str::is_ascii),
                    "{text}"
                );
            }
        }
    }
}

const EVIL: [&str; 8] = [
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\n✓ healthy: all is well\n",
    "\r\u{8}\u{7f}",
    "\u{9b}2J\u{85}",
    "\u{202e}\u{2066}\u{200b}\u{feff}",
    "\0\t\u{e0041}\u{2028}",
    "| `x` ``` </td><script>alert(1)</script> [a](b)",
];

#[test]
fn nothing_drives_the_terminal() {
    for evil in EVIL {
        for format in FORMATS {
            for (unicode, verbose) in [(true, 0), (true, 2), (false, 0), (false, 2)] {
                let style = Style { unicode, verbose, ..Style::default() };
                for diagnoses in [vec![hostile(evil)], vec![hostile(evil), broken()]] {
                    let text = render(&diagnoses, format, &style).unwrap();
                    let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || safe::is_invisible(*c));
                    assert_eq!(bad, None, "{format:?} {evil:?}\n{text}");
                    assert!(text.ends_with('\n'));
                    assert!(!text.contains("\n✓ healthy"), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_hostile_name_stays_text_in_markdown() {
    let page = plain(&[hostile(EVIL[7])], Format::Markdown);
    let mut fence: Option<String> = None;
    for line in page.lines() {
        // Nothing within a fence is markup; a fence of the same length ends it.
        let bare = line.trim_start();
        match &fence {
            Some(open) if bare == open => fence = None,
            Some(_) => {}
            None if bare.starts_with("```") => fence = Some(bare.trim_end_matches("sh").to_owned()),
            None => {
                let outside: String = outside_code(line);
                assert!(!outside.contains("<script"), "{line}");
                if line.starts_with('|') {
                    let columns = line.replace("\\|", "").matches('|').count();
                    assert_eq!(columns, 4, "{line}");
                }
            }
        }
    }
    assert_eq!(fence, None);
}

/// The line without its code spans: from a run of backticks to the next run of the same length.
fn outside_code(line: &str) -> String {
    let line = line.replace("\\`", "");
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let probed = &rest[start + run..];
        let mut from = 0;
        let end = loop {
            let at = from + probed[from..].find('`').expect("a code span ends");
            let length = probed[at..].len() - probed[at..].trim_start_matches('`').len();
            if length == run {
                break at + length;
            }
            from = at + length;
        };
        rest = &probed[end..];
    }
    out + rest
}

#[test]
fn colour_is_only_added() {
    let style = Style { color: true, ..Style::default() };
    for diagnoses in [all(), several()] {
        let coloured = render(&diagnoses, Format::Text, &style).unwrap();
        assert!(coloured.contains('\u{1b}'));
        let mut stripped = String::new();
        let mut parts = coloured.split("\u{1b}[");
        stripped.push_str(parts.next().unwrap());
        for part in parts {
            stripped.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(stripped, plain(&diagnoses, Format::Text));
    }
    for format in [Format::Short, Format::Json, Format::Yaml, Format::Markdown] {
        assert!(!render(&all(), format, &style).unwrap().contains('\u{1b}'));
    }
}

#[test]
fn a_command_to_paste_is_never_wrapped() {
    let narrow = Style { width: 40, ..Style::default() };
    let mut inferred = long();
    inferred.root_cause.as_mut().unwrap().confidence = crate::finding::Confidence::Inferred;
    let page = render(&[inferred], Format::Text, &narrow).unwrap();
    assert!(page.contains("\n  more: kubectl irsa explain role-arn-malformed\n"), "{page}");

    let mut unread = denied();
    unread.unknowns[0].why = String::from("the provider failed; `aws sts get-caller-identity` says why");
    let page = render(&[unread], Format::Text, &narrow).unwrap();
    assert!(page.contains("`aws sts get-caller-identity`"), "{page}");
    assert!(page.contains("\n      get serviceaccounts -n shop\n"), "{page}");
}

#[test]
fn the_last_line_is_the_command() {
    let text = text(broken());
    assert_eq!(text.lines().last().unwrap().trim(), "kubectl rollout restart deployment/checkout -n shop");
    assert!(text.lines().next().unwrap().starts_with("✗ broken"));
}

#[test]
fn control_characters_in_a_command_are_escaped_for_the_shell() {
    for format in [Format::Text, Format::Short, Format::Markdown] {
        let text = plain(&[hostile("\u{1b}c")], format);
        assert!(text.contains(r"role/shop-checkout $'\033c'"), "{text}");
    }
}

#[test]
fn nothing_to_say_is_an_empty_text() {
    assert_eq!(plain(&[], Format::Text), "");
    assert_eq!(plain(&[], Format::Yaml), "apiVersion: irsa/v1\nkind: DiagnosisList\nitems: []\n");
}

#[test]
fn json_and_yaml_hold_the_same_value() {
    for diagnoses in [all(), several(), vec![broken()], vec![hostile(EVIL[4])], vec![hostile(EVIL[6])]] {
        let json: serde_json::Value = serde_json::from_str(&plain(&diagnoses, Format::Json)).unwrap();
        let yaml: serde_json::Value = serde_saphyr::from_str(&plain(&diagnoses, Format::Yaml)).unwrap();
        assert_eq!(json, yaml);
        let plain = match diagnoses.as_slice() {
            [one] => serde_json::to_value(one).unwrap(),
            many => {
                assert_eq!(json["kind"], "DiagnosisList");
                serde_json::json!({"apiVersion": "irsa/v1", "kind": "DiagnosisList", "items": many})
            }
        };
        assert_eq!(json, plain);
    }
}

#[test]
fn the_schema_describes_the_json() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/diagnosis.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let check = |value: &serde_json::Value| {
        let errors: Vec<String> =
            schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        errors.join("\n")
    };
    let value = |diagnoses: &[Diagnosis]| -> serde_json::Value {
        serde_json::from_str(&plain(diagnoses, Format::Json)).unwrap()
    };
    for diagnosis in all() {
        assert_eq!(check(&value(&[diagnosis])), "");
    }
    assert_eq!(check(&value(&all())), "");
    assert_eq!(check(&value(&[])), "");

    // It would notice: a field that it does not know, one that is gone, a word that is not in its list.
    let wrong = |change: fn(&mut serde_json::Value)| {
        let mut value = value(&[broken()]);
        change(&mut value);
        check(&value)
    };
    assert_ne!(wrong(|value| value["surplus"] = 1.into()), "");
    assert_ne!(wrong(|value| value["findings"][0]["surplus"] = 1.into()), "");
    assert_ne!(wrong(|value| drop(value.as_object_mut().unwrap().remove("probe"))), "");
    assert_ne!(wrong(|value| value["verdict"] = "fine".into()), "");
    assert_ne!(wrong(|value| value["chain"][0]["step"] = "nowhere".into()), "");
}

/// Every word of the enumerations is in the schema, so that a new one cannot be forgotten.
#[test]
fn the_schema_knows_every_word() {
    use crate::diagnosis::{Proof, Status, Verdict};
    use crate::finding::{Confidence, Severity};
    use crate::mechanism::Mechanism;
    use crate::step::Step;
    fn words<T: serde::Serialize>(words: &[T]) -> serde_json::Value {
        serde_json::to_value(words).unwrap()
    }
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/diagnosis.schema.json")).unwrap();
    let defs = &schema["$defs"];
    let finding = &defs["finding"]["properties"];
    assert_eq!(defs["step"]["enum"], words(&Step::ALL));
    assert_eq!(
        defs["diagnosis"]["properties"]["verdict"]["enum"],
        words(&[
            Verdict::Healthy,
            Verdict::Broken,
            Verdict::Degraded,
            Verdict::Inconclusive,
            Verdict::NotConfigured
        ])
    );
    assert_eq!(
        defs["diagnosis"]["properties"]["proof"]["enum"],
        words(&[Proof::Config, Proof::Iam, Proof::Pod])
    );
    assert_eq!(finding["severity"]["enum"], words(&[Severity::Error, Severity::Warning, Severity::Info]));
    assert_eq!(finding["confidence"]["enum"], words(&[Confidence::Observed, Confidence::Inferred]));
    assert_eq!(
        defs["link"]["properties"]["status"]["enum"],
        words(&[
            Status::Pass,
            Status::Fail,
            Status::Warn,
            Status::Unknown,
            Status::Skipped,
            Status::NotApplicable
        ])
    );
    assert_eq!(
        defs["mechanism"]["enum"],
        words(&[
            Mechanism::Irsa,
            Mechanism::PodIdentity,
            Mechanism::StaticKeys,
            Mechanism::Profile,
            Mechanism::NodeRole,
            Mechanism::None,
            Mechanism::Unknown
        ])
    );
}
