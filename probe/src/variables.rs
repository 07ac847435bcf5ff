//! Which environment variables matter to an AWS SDK, and which of their values are no secret.

/// The variables whose values are read, in upper case. Of all others nothing is kept but the name.
const PUBLIC: [&str; 31] = [
    "ALL_PROXY",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// True if the values of variables of that name, in any case, are settings and no secrets.
pub fn is_public(name: &str) -> bool {
    PUBLIC.contains(&name.to_ascii_uppercase().as_str())
}

/// True if a variable of that name can change which identity an SDK finds, or how it reaches AWS.
pub fn matters_to_aws(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    is_public(name) || upper.starts_with("AWS_") || upper.starts_with("AMAZON_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_matter_and_are_secret() {
        assert!(matters_to_aws("AWS_SECRET_ACCESS_KEY") && !is_public("AWS_SECRET_ACCESS_KEY"));
        assert!(matters_to_aws("https_proxy") && is_public("https_proxy"));
        assert!(!matters_to_aws("DATABASE_PASSWORD") && !is_public("DATABASE_PASSWORD"));
    }
}
