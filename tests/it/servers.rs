//! Servers on loopback, well-behaved and others.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves `router` on loopback for as long as the test's runtime lives.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A server that hands each connection over, once the head of its first request is read.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    /// How many connections it has accepted.
    pub(crate) accepted: Arc<AtomicUsize>,
}

impl Raw {
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://{}/{path}", self.address).parse().unwrap()
    }
}

/// Answers each connection by `answer`, which gets the head of the request and the connection.
pub(crate) async fn raw<F, A>(answer: A) -> Raw
where
    A: Fn(String, TcpStream) -> F + Send + Sync + 'static,
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    raw_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer)
}

/// As [`raw`], at a place of the caller's choice.
pub(crate) fn raw_at<F, A>(listener: TcpListener, answer: A) -> Raw
where
    A: Fn(String, TcpStream) -> F + Send + Sync + 'static,
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let (count, answer) = (Arc::clone(&accepted), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let head = read_head(&mut stream).await?;
                answer(head, stream).await
            });
        }
    });
    Raw { address, accepted }
}

/// Reads up to the empty line.
pub(crate) async fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    read_head_of(stream).await
}

/// As [`read_head`], from any connection.
pub(crate) async fn read_head_of(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Always answers with the same bytes, and closes.
pub(crate) async fn fixed(answer: impl Into<Vec<u8>>) -> Raw {
    let answer = Arc::new(answer.into());
    raw(move |_, mut stream| {
        let answer = Arc::clone(&answer);
        async move { stream.write_all(&answer).await }
    })
    .await
}

/// A certificate chain with its key, and the PEM file of the authority that signed it, which ends the chain.
pub(crate) struct Identity {
    pub(crate) chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: Vec<u8>,
    pub(crate) root: PathBuf,
}

/// Makes a certificate for `names`, signed by an authority made for it, valid until the given year.
pub(crate) fn identity(folder: &Path, names: &[&str], until_year: i32) -> Identity {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Two authorities of one name would be taken for one with a wrong signature.
    let name = format!("authority of {} until {until_year}", names.join(", "));
    authority.distinguished_name.push(rcgen::DnType::CommonName, name);
    let authority_key = KeyPair::generate().unwrap();
    let root = folder.join(format!("root-{until_year}-{}.pem", names.join("-")));
    let own = authority.self_signed(&authority_key).unwrap();
    std::fs::write(&root, own.pem()).unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut leaf = CertificateParams::new(names).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2000, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(until_year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let signed = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    Identity { chain: vec![signed.der().clone(), own.der().clone()], key: key.serialize_der(), root }
}

/// As [`raw`], over TLS with the given protocols (ALPN); nothing is read before `answer`.
pub(crate) async fn tls<F, A>(identity: &Identity, protocols: &[&[u8]], answer: A) -> Raw
where
    A: Fn(tokio_rustls::server::TlsStream<TcpStream>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    tls_of(identity, rustls::ALL_VERSIONS, protocols, answer).await
}

/// As [`tls`], in the given versions only.
pub(crate) async fn tls_of<F, A>(
    identity: &Identity,
    versions: &[&'static rustls::SupportedProtocolVersion],
    protocols: &[&[u8]],
    answer: A,
) -> Raw
where
    A: Fn(tokio_rustls::server::TlsStream<TcpStream>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    tls_with(identity, rustls::crypto::ring::default_provider(), versions, protocols, answer).await
}

/// As [`tls_of`], with the given cryptography only.
pub(crate) async fn tls_with<F, A>(
    identity: &Identity,
    provider: rustls::crypto::CryptoProvider,
    versions: &[&'static rustls::SupportedProtocolVersion],
    protocols: &[&[u8]],
    answer: A,
) -> Raw
where
    A: Fn(tokio_rustls::server::TlsStream<TcpStream>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let key = rustls::pki_types::PrivateKeyDer::try_from(identity.key.clone()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let (count, answer) = (Arc::clone(&accepted), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream).await;
                }
            });
        }
    });
    Raw { address, accepted }
}
