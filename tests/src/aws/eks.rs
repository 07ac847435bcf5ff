//! EKS: clusters and EKS Pod Identity associations of the caller's account, in the endpoint's Region.

use super::account::{Account, Association, Cluster};
use super::call::Call;
use super::failure::Failure;
use super::serve::Server;
use crate::world::uid_of;
use serde_json::{Value, json};

/// EKS's operations.
pub fn answer(server: &Server, call: &Call, account: &Account) -> Result<Value, Failure> {
    match call.operation.as_str() {
        "ListClusters" => {
            let names = clusters(account, call).map(|cluster| json!(cluster.name));
            page(call, "clusters", names.collect())
        }
        "DescribeCluster" => {
            let cluster = cluster(account, call)?;
            Ok(json!({ "cluster": described(server, account, cluster) }))
        }
        "ListPodIdentityAssociations" => {
            let cluster = cluster(account, call)?;
            let wanted = |name: &str, value: &str| call.param(name).is_none_or(|wanted| wanted == value);
            let associations = cluster
                .pod_identity_associations
                .iter()
                .filter(|a| wanted("namespace", &a.namespace) && wanted("serviceAccount", &a.service_account))
                .map(|association| listed(account, cluster, association));
            page(call, "associations", associations.collect())
        }
        "DescribePodIdentityAssociation" => {
            let (cluster, id) = (cluster(account, call)?, call.text("associationId"));
            let found = cluster.pod_identity_associations.iter().find(|a| association_id(cluster, a) == id);
            let found = found
                .ok_or_else(|| Failure::NotModelled(format!("association {id}, which is not listed")))?;
            Ok(json!({ "association": association(account, cluster, found) }))
        }
        other => Err(Failure::NotModelled(format!("eks:{other}"))),
    }
}

/// How a denial names what the call is about.
pub fn resource(account: &Account, call: &Call) -> String {
    let name = call.param("name").unwrap_or("*");
    match call.param("associationId") {
        Some(id) => arn(account, &call.endpoint.region, &format!("podidentityassociation/{name}/{id}")),
        None => arn(account, &call.endpoint.region, &format!("cluster/{name}")),
    }
}

fn arn(account: &Account, region: &str, resource: &str) -> String {
    format!("arn:{}:eks:{region}:{}:{resource}", account.partition.name(), account.account)
}

fn clusters<'a>(account: &'a Account, call: &'a Call) -> impl Iterator<Item = &'a Cluster> {
    account.eks.iter().filter(|cluster| cluster.region == call.endpoint.region)
}

fn cluster<'a>(account: &'a Account, call: &'a Call) -> Result<&'a Cluster, Failure> {
    let name = call.text("name");
    clusters(account, call)
        .find(|cluster| cluster.name == name)
        .ok_or_else(|| no_such(format!("No cluster found for name: {name}.")))
}

fn no_such(message: String) -> Failure {
    Failure::refused(404, "ResourceNotFoundException", message)
}

fn described(server: &Server, account: &Account, cluster: &Cluster) -> Value {
    json!({
        "name": cluster.name, "arn": arn(account, &cluster.region, &format!("cluster/{}", cluster.name)),
        "createdAt": cluster.created.as_second(), "version": cluster.version, "endpoint": cluster.endpoint,
        "identity": { "oidc": { "issuer": cluster.issuer(&server.header.issuer) } },
        "status": cluster.status, "platformVersion": cluster.platform_version, "tags": {},
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" }, "health": { "issues": [] },
    })
}

/// Lists do not tell the role.
fn listed(account: &Account, cluster: &Cluster, association: &Association) -> Value {
    let id = association_id(cluster, association);
    let resource = format!("podidentityassociation/{}/{id}", cluster.name);
    json!({
        "clusterName": cluster.name, "namespace": association.namespace,
        "serviceAccount": association.service_account,
        "associationArn": arn(account, &cluster.region, &resource), "associationId": id,
    })
}

fn association(account: &Account, cluster: &Cluster, association: &Association) -> Value {
    let mut described = listed(account, cluster, association);
    described["roleArn"] = json!(association.role_arn);
    described["createdAt"] = json!(association.created.as_second());
    described["modifiedAt"] = json!(association.created.as_second());
    described["disableSessionTags"] = json!(association.disable_session_tags);
    described["tags"] = json!({});
    if let Some(target) = &association.target_role_arn {
        described["targetRoleArn"] = json!(target);
        described["externalId"] = json!(external_id(account, cluster, association));
    }
    described
}

/// What EKS sends to the target role as `sts:ExternalId` (EKS user guide, `pod-id-assign-target-role`).
pub fn external_id(account: &Account, cluster: &Cluster, association: &Association) -> String {
    let Association { namespace, service_account, .. } = association;
    format!("{}/{}/{}/{namespace}/{service_account}", cluster.region, account.account, cluster.name)
}

/// The ARN of a cluster.
pub fn cluster_arn(account: &Account, cluster: &Cluster) -> String {
    arn(account, &cluster.region, &format!("cluster/{}", cluster.name))
}

fn association_id(cluster: &Cluster, association: &Association) -> String {
    let of = format!("{}/{}/{}", cluster.name, association.namespace, association.service_account);
    format!("a-{}", &uid_of(&of).replace('-', "")[..17])
}

/// A list in pages: 100 entries unless the call names another number.
fn page(call: &Call, name: &str, items: Vec<Value>) -> Result<Value, Failure> {
    let page = call.page("nextToken", "maxResults", 100, items)?;
    let mut answer = json!({ name: page.items });
    if let Some(next) = page.next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}
