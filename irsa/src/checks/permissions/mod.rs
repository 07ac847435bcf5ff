//! Checks of what the application's identity may do.

mod denied;

super::checks! {
    "permissions" [Permissions]:
    perm_no_policy,
    perm_boundary,
    perm_scp,
    perm_rcp,
    perm_session_policy,
    perm_vpce_policy,
    perm_resource_policy,
    perm_kms,
    perm_chained_role,
}
