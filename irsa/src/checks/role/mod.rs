//! Checks of the role that the service account names.

super::checks! {
    "IAM role" [Role]:
    role_path_missing,
    role_deleted_or_never_existed,
}
