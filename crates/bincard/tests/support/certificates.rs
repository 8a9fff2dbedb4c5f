//! Certificates made for one test: an authority, and what it vouches for.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority that lives as long as the test.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its certificate, as PEM.
    pub(crate) certificate: PathBuf,
}

impl Authority {
    /// A new one; its files are in the folder.
    pub(crate) fn new(folder: &Path) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are no bad names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("randomness");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let certificate = folder.join("authority.pem");
        std::fs::write(&certificate, issuer.pem()).expect("the folder is there");
        Authority { folder: folder.to_owned(), issuer, certificate }
    }

    /// A certificate for this machine, and its key, as PEM files.
    pub(crate) fn vouch_for(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("randomness");
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let signed = params.and_then(|params| params.signed_by(&key, &self.issuer)).expect("a certificate");
        let (certificate, its_key) =
            (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.key")));
        std::fs::write(&certificate, signed.pem()).expect("the folder is there");
        std::fs::write(&its_key, key.serialize_pem()).expect("the folder is there");
        (certificate, its_key)
    }
}
