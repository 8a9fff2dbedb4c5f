//! The arguments of who may reach whom: credentials, certificates, keys and tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use command_api::nats::Access;

/// How a NATS server is reached. A user and password may stand in its URL.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "NATS access")]
pub struct NatsAccessArgs {
    /// A NATS credentials file, as nsc writes it
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,
    /// Certificates of the authorities that may vouch for the NATS server (PEM); TLS is wanted then
    #[arg(long, env = "NATS_CA", value_name = "FILE")]
    pub nats_tls_ca: Option<PathBuf>,
    /// The certificate shown to the NATS server (PEM)
    #[arg(long, env = "NATS_CERT", value_name = "FILE", requires = "nats_tls_key")]
    pub nats_tls_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, env = "NATS_KEY", value_name = "FILE", requires = "nats_tls_cert")]
    pub nats_tls_key: Option<PathBuf>,
}

impl NatsAccessArgs {
    /// The same, as the client takes it.
    pub fn access(&self) -> Access {
        Access {
            credentials: self.nats_creds.clone(),
            authorities: self.nats_tls_ca.clone(),
            identity: self.nats_tls_cert.clone().zip(self.nats_tls_key.clone()),
        }
    }
}

/// What a client shows, and whom it trusts.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Access")]
pub struct ClientAccessArgs {
    /// The token that says who asks
    #[arg(long, env = "BINCARD_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Certificates of the authorities that may vouch for the service over HTTPS, beside the system's (PEM)
    #[arg(long, env = "BINCARD_HTTP_CA", value_name = "FILE")]
    pub http_tls_ca: Option<PathBuf>,
    /// How the NATS server is reached
    #[command(flatten)]
    pub nats: NatsAccessArgs,
}

/// What the service asks of its callers, and shows to them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Security")]
pub struct SecurityArgs {
    /// An Ed25519 public key whose tokens are taken (PEM); may be given several times
    #[arg(long, env = "BINCARD_AUTH_KEY", value_delimiter = ',', value_name = "FILE")]
    pub auth_key: Vec<PathBuf>,
    /// A JSON Web Key Set whose Ed25519 keys are taken; a URL is read again every ten minutes
    #[arg(long, env = "BINCARD_AUTH_JWKS", value_name = "FILE|URL")]
    pub auth_jwks: Option<String>,
    /// More roles than admin, operator and auditor: a JSON object of roles, each a list of permissions
    #[arg(long, env = "BINCARD_AUTH_ROLES", value_name = "FILE")]
    pub auth_roles: Option<PathBuf>,
    /// The issuer that a token has to name
    #[arg(long, env = "BINCARD_AUTH_ISSUER", value_name = "NAME")]
    pub auth_issuer: Option<String>,
    /// The audience that a token has to name
    #[arg(long, env = "BINCARD_AUTH_AUDIENCE", value_name = "NAME")]
    pub auth_audience: Option<String>,
    /// Let everybody who reaches the service do everything, even beyond this machine
    #[arg(long)]
    pub insecure_no_auth: bool,
    /// The certificate chain shown over HTTPS (PEM); read again on SIGHUP
    #[arg(long, env = "BINCARD_HTTP_TLS_CERT", value_name = "FILE", requires = "http_tls_key")]
    pub http_tls_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, env = "BINCARD_HTTP_TLS_KEY", value_name = "FILE", requires = "http_tls_cert")]
    pub http_tls_key: Option<PathBuf>,
}

/// Keys and tokens for set-ups without an identity provider.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a pair of keys: FILE signs tokens, FILE.pub checks them (serve --auth-key FILE.pub)
    Keygen {
        /// The file of the private key; none may be there
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Print a token
    Issue {
        /// The private key that signs it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Who acts
        #[arg(long, value_name = "ACTOR")]
        sub: String,
        /// A role (admin, operator, auditor, or one of the service's own); may be given several times
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<String>,
        /// How long it is valid: a number and s, m, h or d
        #[arg(long, default_value = "8h", value_name = "TIME")]
        ttl: String,
        /// Who made it, if the service asks
        #[arg(long, value_name = "NAME")]
        issuer: Option<String>,
        /// Whom it is for, if the service asks
        #[arg(long, value_name = "NAME")]
        audience: Option<String>,
    },
}
