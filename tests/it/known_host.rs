//! Known hosts, through the real `yt-dlp` with an extractor of our own for a site on loopback. Without `yt-dlp` these tests
//! say so and pass; `.ci/run` installs it.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use earwitness::config::{FetchSettings, KnownHostSettings};
use earwitness::crawl::known_host::{Error, KnownHosts, MediaKind};
use earwitness::net::{Budget, Client, Policy};
use tokio::net::TcpListener;
use url::Url;

/// The `yt-dlp` that `.ci/run` has put into the build folder, or the one on the PATH.
fn yt_dlp() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/yt-dlp/bin/yt-dlp");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = vec![built];
    places.extend(std::env::split_paths(&path).map(|folder| folder.join("yt-dlp")));
    let found = places.into_iter().find(|place| place.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: yt-dlp is neither in target/tools nor on the PATH");
    }
    found
}

/// An extractor for `http://127.0.0.1:PORT/known/…`. It asks the site for a description, and another server, which it must
/// not reach.
const EXTRACTOR: &str = r#"
from yt_dlp.extractor.common import InfoExtractor
import os, time

class EarwitnessTestIE(InfoExtractor):
    _VALID_URL = r'http://127\.0\.0\.1:PORT/known/(?P<id>[a-z]+)'

    def _real_extract(self, url):
        name = self._match_id(url)
        if name == 'hang':
            time.sleep(600)
        if name == 'babble':
            import sys
            while True:
                sys.stdout.write('x' * 65536)
        if name == 'hoard':
            hoard = [bytearray(1 << 20) for _ in range(1 << 14)]
        self._download_webpage('http://127.0.0.1:VICTIM/', name, fatal=False)
        self._download_webpage('http://localhost:VICTIM/', name, fatal=False)
        self._download_webpage('http://169.254.169.254/', name, fatal=False)
        told = self._download_json('http://127.0.0.1:PORT/api/' + name, name)
        if name == 'list':
            return self.playlist_result(
                [self.url_result('http://127.0.0.1:PORT/known/song', 'EarwitnessTest')], 'list', 'A list')
        return {
            'id': name, 'title': told['title'], 'duration': 12,
            'formats': [
                {'format_id': 'audio', 'url': told['audio'], 'vcodec': 'none', 'acodec': 'mp3', 'abr': 128,
                 'http_headers': {'Referer': url}},
                {'format_id': 'video', 'url': told['video'], 'ext': 'mp4', 'tbr': 900},
            ],
        }
"#;

/// Makes a program that is the real `yt-dlp` with that extractor as a plug-in.
fn with_extractor(folder: &Path, program: &Path, site: SocketAddr, victim: SocketAddr) -> PathBuf {
    let package = folder.join("plugins/test/yt_dlp_plugins/extractor");
    std::fs::create_dir_all(&package).unwrap();
    let extractor =
        EXTRACTOR.replace("PORT", &site.port().to_string()).replace("VICTIM", &victim.port().to_string());
    std::fs::write(package.join("earwitness_test.py"), extractor).unwrap();
    // The plug-in's folder goes before the address, after the switch that clears all of them.
    let script = format!(
        "#!/bin/sh\nwhile [ \"$1\" != -- ]; do set -- \"$@\" \"$1\"; shift; done\n\
         exec '{}' \"$@\"\n",
        folder.join("run").display()
    );
    let run = format!(
        "#!/bin/sh\nurl=$2; shift 2\nexec '{}' \"$@\" --plugin-dirs '{}' -- \"$url\"\n",
        program.display(),
        folder.join("plugins").display()
    );
    for (name, text) in [("yt-dlp", script), ("run", run)] {
        std::fs::write(folder.join(name), text).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder.join("yt-dlp")
}

fn anything() -> Policy {
    Arc::new(|_, _| Ok(()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_host_is_resolved_by_the_real_program() {
    let Some(real) = yt_dlp() else { return };
    let victim = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let victim_address = victim.local_addr().unwrap();
    let touched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&touched);
    tokio::spawn(async move {
        while victim.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = listener.local_addr().unwrap();
    let api = move |headers: HeaderMap| async move {
        kept.lock().unwrap().push(headers.contains_key("proxy-authorization"));
        format!(
            r#"{{"title": "A song", "audio": "http://{site}/song.mp3?sig=1", "video": "http://{site}/song.mp4"}}"#
        )
    };
    let router = Router::new().route("/api/{name}", get(api));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    let program = with_extractor(folder.path(), &real, site, victim_address);
    let fetch = FetchSettings { private_allowed: vec![site.to_string()], ..FetchSettings::default() };
    let client = Client::new(&fetch).unwrap();
    let settings = KnownHostSettings { allow: true, program: Some(program), ..KnownHostSettings::default() };
    let known = KnownHosts::find(&settings, &client, Budget::new(1 << 30)).unwrap().unwrap();
    let url = |path: &str| Url::parse(&format!("http://{site}{path}")).unwrap();

    let song = known.resolve(&url("/known/song"), anything()).await.unwrap();
    assert_eq!((song.extractor.as_str(), song.media.len()), ("EarwitnessTest", 1), "{song:?}");
    let media = &song.media[0];
    assert_eq!(media.url, url("/song.mp3?sig=1"));
    assert_eq!((media.kind, media.is_audio_only), (MediaKind::File, true));
    assert_eq!(media.referer.as_ref(), Some(&url("/known/song")));
    assert_eq!((media.title.as_deref(), media.duration_s), (Some("A song"), Some(12.0)));
    for target in [
        format!("http://{victim_address}/"),
        format!("http://localhost:{}/", victim_address.port()),
        "http://169.254.169.254/".to_owned(),
    ] {
        assert!(song.refused.iter().any(|(refused, _)| *refused == target), "{target} in {:?}", song.refused);
    }
    assert!(song.bytes > 0);
    assert_eq!(*asked.lock().unwrap(), [false], "the proxy's password stays with the proxy");

    let list = known.resolve(&url("/known/list"), anything()).await.unwrap();
    assert_eq!((list.pages, list.media.len()), (vec![url("/known/song")], 0));
    let strange = known.resolve(&url("/strange"), anything()).await;
    assert!(matches!(strange, Err(Error::Unknown { .. })), "{strange:?}");
    let third: Policy = Arc::new(|host, _| Err(format!("{host} is a third party")));
    let refused = known.resolve(&url("/known/song"), third).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");

    let impatient = KnownHostSettings { timeout_s: 6, ..settings };
    let known = KnownHosts::find(&impatient, &client, Budget::new(1 << 30)).unwrap().unwrap();
    let hangs = known.resolve(&url("/known/hang"), anything()).await;
    assert!(matches!(hangs, Err(Error::Timeout { .. })), "{hangs:?}");
    for path in ["/known/babble", "/known/hoard"] {
        let result = known.resolve(&url(path), anything()).await;
        assert!(result.is_err(), "{result:?}");
    }
    assert_eq!(touched.load(Ordering::SeqCst), 0, "the other server was never reached");
}
