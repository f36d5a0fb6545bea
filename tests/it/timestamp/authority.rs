//! A time-stamp authority made with openssl: root, perhaps an issuing authority, and the stamping certificate.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::openssl;

/// The kind of all keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    P256,
    P384,
    Rsa,
}

/// How an authority is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) key: Key,
    /// With which digest it signs.
    pub(super) digest: &'static str,
    /// With which digest the signing certificate is named.
    pub(super) ess: &'static str,
    /// Which digests it stamps.
    pub(super) accepted: &'static str,
    /// Digits of a second that it tells.
    pub(super) precision: u32,
    pub(super) has_intermediate: bool,
    /// From when to when the stamping certificate holds.
    pub(super) valid: (&'static str, &'static str),
}

impl Default for Made {
    fn default() -> Self {
        Self {
            key: Key::P256,
            digest: "sha256",
            ess: "sha256",
            accepted: "sha256",
            precision: 0,
            has_intermediate: false,
            valid: ("20200101000000Z", "20900101000000Z"),
        }
    }
}

pub(super) struct Authority {
    folder: tempfile::TempDir,
    key: Key,
    files: AtomicUsize,
}

impl Authority {
    /// Makes one; `None` where openssl is missing.
    pub(super) fn new(made: Made) -> Option<Self> {
        if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
            return None;
        }
        let authority =
            Self { folder: tempfile::tempdir().unwrap(), key: made.key, files: AtomicUsize::new(0) };
        let forever = ("20000101000000Z", "20990101000000Z");
        authority.make("root", "Root", None, "basicConstraints=critical,CA:TRUE\n", forever);
        let issuer = if made.has_intermediate {
            authority.make("middle", "Issuing", Some("root"), "basicConstraints=critical,CA:TRUE\n", forever);
            "middle"
        } else {
            "root"
        };
        let usage = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n";
        authority.make("tsa", "Stamping", Some(issuer), usage, made.valid);
        fs::write(authority.file("serial"), "01\n").unwrap();
        fs::write(authority.file("tsa.cnf"), authority.configuration(&made)).unwrap();
        let chain = ["tsa", issuer].map(|name| fs::read(authority.file(&format!("{name}.pem"))).unwrap());
        fs::write(authority.file("chain.pem"), chain.concat()).unwrap();
        Some(authority)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        openssl(self.folder.path(), arguments)
    }

    /// A name that no other call gets.
    fn fresh(&self) -> String {
        format!("file-{}", self.files.fetch_add(1, Ordering::SeqCst))
    }

    fn configuration(&self, made: &Made) -> String {
        let folder = self.folder.path().display();
        format!(
            "[tsa]\ndefault_tsa = one\n[one]\nserial = {folder}/serial\nsigner_cert = {folder}/tsa.pem\n\
             certs = {folder}/chain.pem\nsigner_key = {folder}/tsa.key\nsigner_digest = {}\n\
             default_policy = 1.2.3.4.1\ndigests = {}\naccuracy = secs:1, millisecs:500, microsecs:100\n\
             clock_precision_digits = {}\ness_cert_id_alg = {}\n",
            made.digest, made.accepted, made.precision, made.ess
        )
    }

    /// Makes a key and its certificate, signed by `issuer` or itself.
    fn make(&self, name: &str, title: &str, issuer: Option<&str>, extensions: &str, valid: (&str, &str)) {
        let key = format!("{name}.key");
        match self.key {
            Key::Rsa => {
                self.run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key])
            }
            Key::P256 | Key::P384 => {
                let curve = if matches!(self.key, Key::P384) { "P-384" } else { "P-256" };
                let curve = format!("ec_paramgen_curve:{curve}");
                self.run(&["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", &key])
            }
        };
        let (request, certificate) = (format!("{name}.csr"), format!("{name}.pem"));
        // A name of its own for each authority: two of one name would be taken for one with a wrong signature.
        let subject =
            format!("/C=CN/CN={title} of {}", self.folder.path().file_name().unwrap().to_string_lossy());
        self.run(&["req", "-new", "-key", &key, "-subj", &subject, "-out", &request]);
        let settings = format!(
            "[ca]\ndefault_ca = own\n[own]\ndatabase = {name}.index\nrand_serial = yes\nnew_certs_dir = .\n\
             default_md = sha256\npolicy = any\nx509_extensions = own_extensions\n[any]\ncommonName = supplied\n\
             countryName = optional\n[own_extensions]\nsubjectKeyIdentifier = hash\n{extensions}"
        );
        fs::write(self.file(&format!("{name}.cnf")), settings).unwrap();
        fs::write(self.file(&format!("{name}.index")), "").unwrap();
        let settings = format!("{name}.cnf");
        let issuer_key = format!("{}.key", issuer.unwrap_or(name));
        let mut arguments = vec![
            "ca",
            "-batch",
            "-notext",
            "-config",
            &settings,
            "-in",
            &request,
            "-out",
            &certificate,
            "-keyfile",
            &issuer_key,
            "-startdate",
            valid.0,
            "-enddate",
            valid.1,
        ];
        let issuer_certificate = issuer.map(|issuer| format!("{issuer}.pem"));
        match &issuer_certificate {
            None => arguments.push("-selfsign"),
            Some(issuer) => arguments.extend(["-cert", issuer]),
        }
        self.run(&arguments);
    }

    /// A query of its own for a digest, with a random nonce.
    pub(super) fn query(&self, digest: &str) -> Vec<u8> {
        let file = self.fresh();
        self.run(&["ts", "-query", "-digest", digest, "-sha256", "-cert", "-out", &file]);
        fs::read(self.file(&file)).unwrap()
    }

    /// Answers a query as `openssl ts` does.
    pub(super) fn answer(&self, query: &[u8]) -> Vec<u8> {
        self.reply(query, &[])
    }

    fn reply(&self, query: &[u8], more: &[&str]) -> Vec<u8> {
        let (asked, answer) = (self.fresh(), self.fresh());
        fs::write(self.file(&asked), query).unwrap();
        let arguments = ["ts", "-reply", "-config", "tsa.cnf", "-queryfile", &asked, "-out", &answer];
        self.run(&[&arguments[..], more].concat());
        fs::read(self.file(&answer)).unwrap()
    }

    /// A good answer to a query that nobody sent.
    pub(super) fn answer_to_own(&self, digest: &str) -> Vec<u8> {
        self.answer(&self.query(digest))
    }

    /// A good answer with another status.
    pub(super) fn with_status(&self, query: &[u8], status: u8) -> Vec<u8> {
        let mut answer = self.answer(query);
        let granted = [0x30, 0x03, 0x02, 0x01, 0x00];
        let at = answer.windows(granted.len()).position(|window| window == granted).expect("its status");
        answer[at + 4] = status;
        answer
    }

    /// The information of a good answer, signed with a certificate that has other extensions; a token alone.
    pub(super) fn signed_by_another(&self, query: &[u8], extensions: &str) -> Vec<u8> {
        let other = self.fresh();
        self.make(&other, "Other", Some("root"), &format!("{extensions}\n"), Made::default().valid);
        self.signed(query, &other, &[])
    }

    /// The same with the right certificate and an RSA signature of the newer kind.
    pub(super) fn signed_with_pss(&self, query: &[u8]) -> Vec<u8> {
        // A salt as long as the digest, as RFC 4055 recommends and as is verified; openssl's own default is the longest.
        self.signed(query, "tsa", &["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"])
    }

    fn signed(&self, query: &[u8], signer: &str, more: &[&str]) -> Vec<u8> {
        let (token, info, signed) = (self.fresh(), self.fresh(), self.fresh());
        fs::write(self.file(&token), self.reply(query, &["-token_out"])).unwrap();
        self.run(&["cms", "-verify", "-noverify", "-inform", "DER", "-in", &token, "-out", &info]);
        let (certificate, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let arguments = [
            "cms",
            "-sign",
            "-binary",
            "-nodetach",
            "-cades",
            "-md",
            "sha256",
            "-outform",
            "DER",
            "-econtent_type",
            "1.2.840.113549.1.9.16.1.4",
            "-in",
            &info,
            "-out",
            &signed,
            "-signer",
            &certificate,
            "-inkey",
            &key,
        ];
        self.run(&[&arguments[..], more].concat());
        fs::read(self.file(&signed)).unwrap()
    }

    /// Verifies a response with openssl.
    pub(super) fn check_with_openssl(&self, response: &[u8], digest: &str) {
        let file = self.fresh();
        fs::write(self.file(&file), response).unwrap();
        self.run(&[
            "ts",
            "-verify",
            "-digest",
            digest,
            "-in",
            &file,
            "-CAfile",
            "root.pem",
            "-untrusted",
            "chain.pem",
        ]);
    }
}
