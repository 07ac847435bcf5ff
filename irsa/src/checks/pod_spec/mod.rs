//! Checks of the pod's own manifest: variables, volumes, mounts.

super::checks! {
    "pod spec" [Pod]:
    static_pod,
    unsupported_platform,
    wrong_token_path_manual,
    env_preset_partial,
    env_preset_complete_no_mount,
    env_preset_stale_role,
    env_from_secret_overrides,
    volume_name_collision,
    mountpath_collision,
    subpath_mount,
    windows_no_nodeselector,
    pods_not_created,
}

/// Where the kubelet mounts the API server's token.
const API_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
