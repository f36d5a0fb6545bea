//! The roots that time-stamps are verified against.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::error::Error;

/// The longest file of roots, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Reads the certificates of PEM files, as DER, in the files' order.
///
/// # Errors
/// [`Error::Root`] for a file that cannot be read, is longer than 4 MiB, or holds no certificate.
pub fn read_roots<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Vec<u8>>, Error> {
    let mut roots = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let wrong = |reason: String| Error::Root { path: path.display().to_string(), reason };
        let mut pem = Vec::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut pem))
            .map_err(|error| wrong(error.to_string()))?;
        if pem.len() as u64 > FILE_BYTES_MAX {
            return Err(wrong(format!("longer than {FILE_BYTES_MAX} bytes")));
        }
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.push(certificate.map_err(|error| wrong(error.to_string()))?.to_vec());
        }
        if roots.len() == before {
            return Err(wrong("holds no PEM certificate".to_owned()));
        }
    }
    Ok(roots)
}
