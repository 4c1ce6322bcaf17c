//! Encryption towards database servers: who may vouch for a server's certificate, and what is done where nobody is asked.
//!
//! The authorities are Mozilla's, compiled in. `SSL_CERT_FILE`, as OpenSSL reads it, adds those of a PEM file: a database
//! at home often has a certificate of its owner's own.

use crate::error::{Error, Kind, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;

/// The file with further authorities, if the environment names one.
pub fn authorities() -> Option<PathBuf> {
    std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(PathBuf::from)
}

/// Makes ring the process's cryptography; a driver that builds its own configuration asks for it.
pub fn use_ring() {
    // An error says that somebody chose before us.
    ring::default_provider().install_default().ok();
}

/// How to encrypt: with the server's certificate checked, or with whoever answers.
///
/// # Errors
/// [`Kind::Config`] where `SSL_CERT_FILE` cannot be read.
pub fn client(verified: bool) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|why| Error::new(Kind::Failed, format!("cannot encrypt: {why}")))?;
    Ok(match verified {
        true => builder.with_root_certificates(roots()?).with_no_client_auth(),
        false => {
            let anyone = Arc::new(Anyone(provider));
            builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
        }
    })
}

fn roots() -> Result<RootCertStore> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let Some(file) = authorities() else { return Ok(roots) };
    let unreadable =
        |why: String| Error::new(Kind::Config, format!("cannot read SSL_CERT_FILE {}: {why}", file.display()));
    for certificate in CertificateDer::pem_file_iter(&file).map_err(|why| unreadable(why.to_string()))? {
        let certificate = certificate.map_err(|why| unreadable(why.to_string()))?;
        roots.add(certificate).map_err(|why| unreadable(why.to_string()))?;
    }
    Ok(roots)
}

/// Takes every certificate; still checks that the server holds its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
