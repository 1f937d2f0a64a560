//! HTTPS by http_req over rustls, all of it in the module: `https https://localhost:8443/` prints status and body.
//! `CA_FILE` is the file of the trusted certificates, in a preopened folder of the guest.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clients::{argument, report, Problem};
use http_req::request::RequestBuilder;
use http_req::uri::Uri;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use wasmedge_wasi_socket::{nslookup, TcpStream};

fn main() -> ExitCode {
    report(get())
}

fn get() -> Result<(), Problem> {
    let text = argument("a URL")?;
    let url = Uri::try_from(text.as_str())?;
    let host = url.host().ok_or("the URL names no host")?;
    let mut stream = connect(host, url.corr_port())?;
    let mut body = Vec::new();
    let answer = RequestBuilder::new(&url)
        .header("Connection", "close")
        .send(&mut stream, &mut body)?;
    println!("{}", u16::from(answer.status_code()));
    println!("{}", String::from_utf8_lossy(&body));
    Ok(())
}

fn connect(host: &str, port: u16) -> Result<impl Read + Write, Problem> {
    let mut believed = RootCertStore::empty();
    let file = std::env::var("CA_FILE").map_err(|_| "CA_FILE names no file of certificates to believe")?;
    for certificate in CertificateDer::pem_file_iter(&file).map_err(|error| format!("{file}: {error}"))? {
        believed.add(certificate.map_err(|error| format!("{file}: {error}"))?)?;
    }
    let configuration = ClientConfig::builder_with_provider(Arc::new(rustls_rustcrypto::provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(believed)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())?;
    let mut session = ClientConnection::new(Arc::new(configuration), name)?;
    let mut address = *nslookup(host, "http")?.first().ok_or("the host has no address")?;
    address.set_port(port);
    let mut stream = TcpStream::connect(address)?;
    // Completes the handshake first, so that a rejected certificate is reported as such, and not as a missing response.
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(session, stream))
}
