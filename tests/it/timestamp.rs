//! Time-stamps from a living authority: `openssl ts` behind a small HTTP server on loopback.

mod authority;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use earwitness::base::Digest;
use earwitness::config::FetchSettings;
use earwitness::evidence::timestamp::{Error, Patience, Token, obtain, read_roots, verify};
use earwitness::net::{self, Client};
use url::Url;

use crate::servers::serve;
use authority::{Authority, Key, Made};

const PATIENCE: Patience = Patience { tries: 3, pause: Duration::from_millis(10) };

fn digest() -> Digest {
    Digest::of(b"the bundle")
}

/// A server whose paths answer in different ways.
struct Site {
    client: Client,
    url: Url,
}

impl Site {
    async fn new(router: Router) -> Self {
        let address = serve(router).await;
        let settings =
            FetchSettings { private_allowed: vec![address.to_string()], ..FetchSettings::default() };
        let client = Client::new(&settings).unwrap();
        Self { client, url: format!("http://{address}/").parse().unwrap() }
    }

    async fn ask(&self, path: &str, roots: &[Vec<u8>]) -> Result<Token, Error> {
        let url = self.url.join(path).unwrap();
        obtain(&self.client, &url, &digest(), roots, PATIENCE).await
    }
}

fn reply(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/timestamp-reply")], bytes).into_response()
}

/// Adds a path that answers each query by `answer`.
fn answering(
    router: Router,
    path: &str,
    answer: impl Fn(&[u8]) -> Vec<u8> + Clone + Send + Sync + 'static,
) -> Router {
    router.route(path, post(move |query: Bytes| async move { reply(answer(&query)) }))
}

fn roots_of(authority: &Authority) -> Vec<Vec<u8>> {
    read_roots(&[authority.file("root.pem")]).unwrap()
}

/// Tells loudly where openssl is missing.
fn authority(made: Made) -> Option<Arc<Authority>> {
    let authority = Authority::new(made).map(Arc::new);
    if authority.is_none() {
        eprintln!("SKIPPED: openssl is missing, time-stamps were NOT tested against an authority");
    }
    authority
}

#[tokio::test]
async fn good_tokens_of_every_usual_kind_are_taken() {
    for made in [
        Made::default(),
        Made { key: Key::Rsa, digest: "sha512", ..Made::default() },
        Made { key: Key::P384, digest: "sha384", ess: "sha1", ..Made::default() },
        Made { has_intermediate: true, ess: "sha512", precision: 6, ..Made::default() },
    ] {
        let Some(authority) = authority(made) else { return };
        let issuer = Arc::clone(&authority);
        let site = Site::new(answering(Router::new(), "/", move |query| issuer.answer(query))).await;
        let token =
            site.ask("/", &roots_of(&authority)).await.unwrap_or_else(|error| panic!("{made:?}: {error}"));
        assert!(token.stamped.authority.contains("Stamping"), "{:?}", token.stamped);
        assert_eq!((token.stamped.accuracy_us, token.stamped.is_modified), (Some(1_500_100), false));
        assert_eq!(token.stamped.policy, "1.2.3.4.1");
        let fraction = token.stamped.at.subsec_nanosecond();
        assert!(made.precision > 0 || fraction == 0, "{}", token.stamped.at);
        // Offline, and by the tool that everybody has.
        assert_eq!(verify(&token.response, &digest(), &roots_of(&authority)).unwrap(), token.stamped);
        authority.check_with_openssl(&token.response, &digest().to_string());
    }
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_by_what_is_wrong() {
    let Some(authority) = authority(Made::default()) else { return };
    let roots = roots_of(&authority);
    let issuer = || Arc::clone(&authority);
    let mut router = Router::new();
    let own = issuer();
    router = answering(router, "/imprint", move |_| own.answer_to_own(&Digest::of(b"another").to_string()));
    let own = issuer();
    router = answering(router, "/nonce", move |_| own.answer_to_own(&digest().to_string()));
    let own = issuer();
    router = answering(router, "/modified", move |query| own.with_status(query, 1));
    let own = issuer();
    router = answering(router, "/waiting", move |query| own.with_status(query, 3));
    let own = issuer();
    router = answering(router, "/cut", move |query| {
        let answer = own.answer(query);
        answer[..answer.len() / 2].to_vec()
    });
    let own = issuer();
    router = answering(router, "/broken", move |query| {
        let mut answer = own.answer(query);
        *answer.last_mut().unwrap() ^= 1;
        answer
    });
    router = answering(router, "/garbage", |_| b"what is this?".to_vec());
    router = answering(router, "/nothing", |_| Vec::new());
    router = answering(router, "/huge", |_| vec![0x30; 1 << 20]);
    router = router.route("/page", post(|| async { "<html>" }));
    router = router.route("/moved", post(|| async { (StatusCode::FOUND, [(header::LOCATION, "/nonce")]) }));
    let site = Site::new(router).await;

    let modified = site.ask("/modified", &roots).await.unwrap();
    assert!(modified.stamped.is_modified);
    for (path, told) in [
        ("/imprint", "of another digest"),
        ("/nonce", "answers another request"),
        ("/waiting", "refuses: waiting"),
        ("/cut", "the time-stamp response cannot be read"),
        ("/broken", "the signature of the token is wrong"),
        ("/garbage", "the time-stamp response cannot be read"),
        ("/nothing", "the time-stamp response cannot be read"),
        ("/huge", "longer than the limit of 65536 bytes (what a time-stamp may have)"),
        ("/page", "not a time-stamp (application/timestamp-reply)"),
        ("/moved", "the server answered 302"),
        ("/missing", "the server answered 404"),
    ] {
        let error = site.ask(path, &roots).await.unwrap_err().to_string();
        assert!(error.contains(told), "{path}: {error}");
    }
    let none = site.ask("/modified", &[]).await.unwrap_err();
    assert!(matches!(none, Error::NoRoots), "{none}");
}

#[tokio::test]
async fn certificates_that_do_not_hold_are_refused() {
    let Some(good) = authority(Made::default()) else { return };
    let expired =
        authority(Made { valid: ("20100101000000Z", "20110101000000Z"), ..Made::default() }).unwrap();
    let early = authority(Made { valid: ("20900101000000Z", "20910101000000Z"), ..Made::default() }).unwrap();
    let refusing = authority(Made { accepted: "sha512", ..Made::default() }).unwrap();
    let mut router = Router::new();
    for (path, issuer) in
        [("/good", &good), ("/expired", &expired), ("/early", &early), ("/refusing", &refusing)]
    {
        let issuer = Arc::clone(issuer);
        router = answering(router, path, move |query| issuer.answer(query));
    }
    // `openssl ts` issues nothing with these; they sign what the good authority issued.
    for (path, extensions) in [
        ("/server", "extendedKeyUsage=critical,serverAuth"),
        ("/soft", "extendedKeyUsage=timeStamping"),
        ("/both", "extendedKeyUsage=critical,timeStamping,serverAuth"),
        ("/none", "keyUsage=digitalSignature"),
    ] {
        let issuer = Arc::clone(&good);
        router = answering(router, path, move |query| issuer.signed_by_another(query, extensions));
    }
    let site = Site::new(router).await;
    let roots = roots_of(&good);
    for (path, roots, told) in [
        ("/expired", roots_of(&expired), "had expired at the token's instant"),
        ("/early", roots_of(&early), "was not valid yet at the token's instant"),
        ("/good", roots_of(&expired), "leads to none of the 1 roots that are trusted"),
        ("/server", roots.clone(), "its extended key usage is another than timeStamping alone"),
        ("/soft", roots.clone(), "its extended key usage is not marked as critical"),
        ("/both", roots.clone(), "its extended key usage is another than timeStamping alone"),
        ("/none", roots.clone(), "it has no extended key usage"),
        ("/refusing", roots_of(&refusing), "refuses: rejection, it does not know the algorithm (badAlg)"),
    ] {
        let error = site.ask(path, &roots).await.unwrap_err().to_string();
        assert!(error.contains(told), "{path}: {error}");
    }
    assert!(site.ask("/good", &[roots_of(&expired), roots].concat()).await.is_ok());
}

#[tokio::test]
async fn a_failure_that_passes_is_waited_for_and_one_that_does_not_is_not() {
    let Some(authority) = authority(Made::default()) else { return };
    let roots = roots_of(&authority);
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, issuer) = (Arc::clone(&asked), Arc::clone(&authority));
    let busy_twice = post(move |query: Bytes| {
        let (count, issuer) = (Arc::clone(&count), Arc::clone(&issuer));
        async move {
            match count.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]).into_response(),
                _ => reply(issuer.answer(&query)),
            }
        }
    });
    let forbidden = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&forbidden);
    let never = post(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { StatusCode::FORBIDDEN }
    });
    let site = Site::new(Router::new().route("/busy", busy_twice).route("/never", never)).await;
    assert!(site.ask("/busy", &roots).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let error = site.ask("/never", &roots).await.unwrap_err();
    assert!(matches!(error, Error::Network(net::Error::Status { status: 403, .. })), "{error}");
    assert_eq!(forbidden.load(Ordering::SeqCst), 1);

    // Nobody listens where somebody did.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = FetchSettings { private_allowed: vec![address.to_string()], ..FetchSettings::default() };
    let url = format!("http://{address}/").parse().unwrap();
    let client = Client::new(&settings).unwrap();
    let error = obtain(&client, &url, &digest(), &roots, PATIENCE).await.unwrap_err();
    assert!(matches!(error, Error::Network(net::Error::Connect { .. })), "{error}");
    // The guard holds here as everywhere.
    let guarded = Client::new(&FetchSettings::default()).unwrap();
    let error = obtain(&guarded, &url, &digest(), &roots, PATIENCE).await.unwrap_err();
    assert!(matches!(error, Error::Network(net::Error::NotPublic { .. })), "{error}");
}

/// The check of a bundle's time-stamp by `evidence verify`: its outcome and what was found.
fn time_stamp_check(
    dir: &std::path::Path,
    bundle: &std::path::Path,
    more: &[&std::path::Path],
) -> (String, String) {
    let mut command = crate::support::earwitness(dir);
    command.args(["evidence", "verify", "--json", "--no-replay"]).arg(bundle);
    for roots in more {
        command.arg("--tsa-roots").arg(roots);
    }
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let mut checks = output.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let check = checks.find(|check| check["name"] == "time-stamp").unwrap();
    (check["outcome"].as_str().unwrap().to_owned(), check["detail"].as_str().unwrap().to_owned())
}

#[test]
fn exported_bundles_are_stamped_and_tell_what_the_stamp_says_of_the_clock() {
    let Some(authority) = authority(Made::default()) else { return };
    let house = crate::evidence::House::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let issuer = Arc::clone(&authority);
    let router = answering(Router::new(), "/", move |query| issuer.answer(query));
    let address = runtime.block_on(serve(router));
    let roots = authority.file("root.pem");
    let settings = format!(
        "fetch = {{ private_allowed = [\"{address}\"] }}\n\
         evidence = {{ timestamp_url = \"http://{address}/\", timestamp_roots = [{roots:?}] }}\n"
    );
    std::fs::write(house.path().join("earwitness.toml"), settings).unwrap();
    let clock_of = |bundle: &std::path::Path| -> serde_json::Value {
        let unzip =
            Command::new("unzip").arg("-p").arg(bundle).arg("earwitness/environment.json").output().unwrap();
        let environment: serde_json::Value = serde_json::from_slice(&unzip.stdout).unwrap();
        environment["clock_offset"]["time_stamp"].clone()
    };
    let (first, _) = house.export();
    let (second, _) = house.export();
    if Command::new("unzip").arg("-v").output().is_ok() {
        assert_eq!(clock_of(&first), serde_json::Value::Null, "its own stamp is younger than it");
        let told = clock_of(&second);
        let number = |key: &str| told[key].as_str().unwrap().parse::<f64>().unwrap();
        assert!(number("ahead_s").abs() <= number("within_s") + 1.1, "{told}");
        assert!(told["source"].as_str().unwrap().contains("Stamping"), "{told}");
    }
    // On a machine that trusts nobody, and by somebody who trusts this authority.
    let elsewhere = tempfile::tempdir().unwrap();
    let (outcome, told) = time_stamp_check(elsewhere.path(), &second, &[]);
    assert_eq!(outcome, "not_checked");
    assert!(told.starts_with("imprint right, it says "), "{told}");
    assert_eq!(time_stamp_check(elsewhere.path(), &second, &[&roots]).0, "passed");
    // Another bundle's token is told as such by anybody.
    let stamp = |bundle: &std::path::Path| {
        let bytes = std::fs::read(bundle).unwrap();
        earwitness::evidence::timestamp_imprint(&bytes).unwrap()
    };
    assert_ne!(stamp(&first), stamp(&second));
    let other = authority.answer_to_own(&stamp(&first).to_string());
    earwitness::evidence::attach_timestamp(&second, &other).unwrap();
    let (outcome, told) = time_stamp_check(elsewhere.path(), &second, &[]);
    assert_eq!(outcome, "failed");
    assert!(told.contains("the token is of another digest"), "{told}");
}

#[test]
fn signatures_with_pss_are_verified() {
    let Some(authority) = authority(Made { key: Key::Rsa, ..Made::default() }) else { return };
    let query = authority.query(&digest().to_string());
    let token = authority.signed_with_pss(&query);
    let stamped = verify(&token, &digest(), &roots_of(&authority)).unwrap();
    assert_eq!(stamped.policy, "1.2.3.4.1");
}

/// Runs openssl; what it says is in the failure.
fn openssl(folder: &std::path::Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {}: {told}", arguments.join(" "));
    output.stdout
}
