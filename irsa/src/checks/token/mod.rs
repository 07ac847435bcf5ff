//! Checks of the projected token: its file and its claims.

super::checks! {
    "token" [TokenFile, TokenClaims]:
    node_audience_restriction,
    token_mount_failed,
    selinux_lsm,
    privilege_drop_after_start,
    chroot_or_private_mount_ns,
    token_permission_denied,
    token_malformed,
    token_expired,
    issuer_legacy_token,
}
