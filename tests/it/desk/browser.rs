//! The desk as people use it, in a real browser.

use std::fs;
use std::path::{Path, PathBuf};

use earwitness::cases::{Case, find};
use earwitness::store::Store;
use serde_json::{Value, json};

use super::webdriver::Browser;
use super::{Desk, PASSWORD};
use crate::evidence::House;
use crate::support::earwitness;

/// A house whose configuration lets a notice be written, and whose case is seen live.
pub(super) fn house_with_parties() -> House {
    let house = House::new();
    let domain = find(&Store::open(&house.path().join("store")).unwrap(), &house.case_id).unwrap().domain;
    let provider = format!(
        "\n[providers.\"{domain}\"]\nname = \"Pirate Hosting Ltd\"\nemail = \"abuse@pirate.example\"\n"
    );
    fs::write(house.path().join("earwitness.toml"), format!("{PARTIES}{provider}")).unwrap();
    house
}

const PARTIES: &str = r#"
[fetch]
allow_private = true
[claim]
signature = "山田花子"
fair_use_considered = true
[claim.right_holder]
name = "葵レコード株式会社"
id_document_type = "登记证明"
id_document_number = "0100-01-000000"
legal_representative = "山田花子"
address = "東京都港区1-1-1"
post_code = "105-0001"
contact_person = "佐藤"
telephone = "+81 3 0000 0000"
email = "rights@aoi.example"
country = "JP"
[claim.en.right_holder]
name = "Aoi Records"
"#;

fn sign_in(browser: &mut Browser, desk: &Desk) {
    browser.go(&format!("http://{}/", desk.address));
    browser.wait("first account", "return location.pathname === '/set-up'");
    browser.fill("#name", "mika");
    browser.fill("#password", PASSWORD);
    browser.press("\u{E007}");
    browser.wait("signed in", "return location.pathname === '/overview' || location.pathname === '/cases'");
}

/// Makes a webhook, for the list to show; nothing happens that it would be told of.
fn make_webhook(desk: &Desk) {
    let url = format!("https://hooks.example/{}", "x".repeat(60));
    let made = desk.signed_in("mika").post_form("/webhooks/create", &[("url", &url), ("event", "approved")]);
    assert_eq!(made.status, 201, "{}", made.text());
}

/// Nothing was loaded from elsewhere, and no policy was broken.
fn assert_quiet(browser: &mut Browser, desk: &Desk) {
    let own = format!("http://{}/", desk.address);
    for url in browser.requests() {
        let is_own = url.starts_with(&own)
            || url.starts_with("data:")
            || url.starts_with("about:")
            || url.starts_with("chrome");
        assert!(is_own, "asked for {url}");
    }
    let said: Vec<String> = browser.log().into_iter().filter(|line| !line.contains("favicon")).collect();
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn a_reviewer_hears_decides_and_takes_papers() {
    let house = house_with_parties();
    let Some(mut browser) = Browser::start("en") else { return };
    let desk = Desk::serve(house.path());
    sign_in(&mut browser, &desk);
    browser.picture("overview-light");
    browser.go(&format!("http://{}/cases?state=undetermined", desk.address));
    assert!(browser.text().contains("UNDETERMINED"), "{}", browser.text());
    browser.picture("queue-light");
    // By keyboard alone: to the first case, and into it.
    browser.press("j");
    browser.press("\u{E007}");
    browser.wait("the case", &format!("return location.pathname === '/cases/{}'", house.case_id));
    browser.wait("its sounds", "return document.querySelector('#players').dataset.ready === 'yes'");
    browser.press(" ");
    let at = |side: &str| format!("document.querySelector('#{side}-1').currentTime");
    browser.wait("the copy plays", &format!("return {} > 0.5", at("suspect")));
    browser.wait("the recording goes along", &format!("return {} > 0.3", at("reference")));
    // The copy is a quarter faster: a second of it is 1.25 of the recording.
    let rate = browser.run("return document.querySelector('#reference-1').playbackRate").as_f64().unwrap();
    assert!((rate - 1.25).abs() < 0.02, "{rate}");
    let heard = "return [...document.querySelectorAll('audio[data-heard]')].map((one) => one.id).join()";
    assert_eq!(browser.run(heard), "suspect-1");
    browser.press("s");
    browser.wait(
        "the other is heard",
        "return document.querySelector('#reference-1').hasAttribute('data-heard')",
    );
    let together = "const s = document.querySelector('#suspect-1'), r = document.querySelector('#reference-1'); \
                    return !s.paused && !r.paused && s.muted && !r.muted";
    browser.wait("both go on", together);
    browser.press(" ");
    let shown = "return [...document.querySelectorAll('figure img')].every((one) => { one.loading = 'eager'; return one.complete && one.naturalWidth > 0; })";
    browser.wait("pictures", shown);
    let archived = browser.run("return document.querySelector('details[open] pre.archived').textContent");
    assert_eq!(archived.as_str().map(str::trim), Some("Free ⟨U+202E⟩music"));
    browser.stretch(1280);
    browser.picture("case-light");
    browser.resize(1280, 1000);
    // It is in doubt: a reason is asked for.
    browser.press("a");
    browser.wait("refused without a reason", "return document.body.innerText.includes('409')");
    browser.go(&format!("http://{}/cases/{}", desk.address, house.case_id));
    // Whoever knows licences is asked, which leaves it where it is.
    browser.press("l");
    browser.wait("asked", "return document.querySelector('#asked')?.textContent.includes('mika')");
    assert_eq!(browser.run("return document.querySelector('#state').textContent"), "undetermined");
    browser.go(&format!("http://{}/licences", desk.address));
    let waits = format!("return document.querySelector('a[href=\"/cases/{}\"]') !== null", house.case_id);
    assert_eq!(browser.run(&waits), true);
    browser.go(&format!("http://{}/cases/{}", desk.address, house.case_id));
    browser.fill("#note", "we never licensed it");
    browser.run("document.querySelector('#note').blur()");
    browser.press("a");
    browser.wait("approved", "return document.querySelector('#state')?.textContent === 'approved'");
    browser.press("u");
    browser.wait("undone", "return document.querySelector('#state')?.textContent === 'undetermined'");
    browser.fill("#note", "we never licensed it, says the label");
    browser.run("document.querySelector('#note').blur()");
    browser.press("a");
    browser.wait("approved again", "return document.querySelector('#state')?.textContent === 'approved'");
    // Papers: a notice, previewed and written, and a bundle, made, verified and taken.
    browser.go(&format!("http://{}/notices?form=dmca&preview=1", desk.address));
    browser.wait("the preview", "return document.querySelectorAll('iframe.preview').length === 1");
    browser.stretch(1280);
    browser.picture("notices");
    browser.resize(1280, 1000);
    browser.press("w");
    browser.wait("documents", "return [...document.querySelectorAll('main li a')].some((one) => one.textContent.endsWith('dmca.pdf'))");
    let pdf = browser.run("return [...document.querySelectorAll('main li a')].find((one) => one.textContent.endsWith('dmca.pdf')).getAttribute('href')");
    browser.go(&format!("http://{}/cases/{}", desk.address, house.case_id));
    browser.press("b");
    browser.wait("the bundle", "return location.pathname.startsWith('/bundles/')");
    assert_eq!(
        browser.run("return document.querySelector('#checks').dataset.passed"),
        "true",
        "{}",
        browser.text()
    );
    browser.picture("bundle");
    let name = browser.url().rsplit('/').next().unwrap().to_owned();
    // Without the refusal's own line of the browser.
    let said: Vec<String> =
        browser.log().into_iter().filter(|line| !line.contains("409") && !line.contains("422")).collect();
    assert!(said.is_empty(), "{said:#?}");
    let mut client = desk.signed_in("mika");
    let written = client.get(pdf.as_str().unwrap());
    assert_eq!((written.status, written.header("content-type")), (200, "application/pdf"));
    assert!(written.body.starts_with(b"%PDF-"));
    let state = client.get(&format!("/api/v1/cases/{}", house.case_id)).json()["case"]["state"].clone();
    assert_eq!(state, "noticed");
    let taken = client.get(&format!("/papers/{name}"));
    assert_eq!(taken.status, 200);
    let file = house.path().join("taken.wacz");
    fs::write(&file, &taken.body).unwrap();
    earwitness(house.path()).args(["evidence", "verify", "taken.wacz"]).assert().code(0);
}

#[test]
fn a_site_is_made_changed_and_removed_by_forms() {
    let house = House::new();
    let Some(mut browser) = Browser::start("en") else { return };
    let desk = Desk::serve(house.path());
    sign_in(&mut browser, &desk);
    browser.go(&format!("http://{}/crawls", desk.address));
    browser.fill("#name", "night music");
    browser.fill("#seeds", "https://music.example/new");
    browser.fill("#cron", "61 * * * *");
    browser.click("#make button");
    browser.wait("what is wrong", "return document.querySelector('#trouble')?.textContent.includes('61 *')");
    // Told of its field, and what was typed is there still.
    let told = "return document.querySelector('#cron').getAttribute('aria-describedby') + ' ' + document.querySelector('#name').value";
    assert_eq!(browser.run(told), "trouble night music");
    browser.run("document.querySelector('#cron').value = ''");
    browser.picture("crawls-form");
    browser.click("#make button");
    browser.wait("the site", "return location.pathname === '/crawls/night%20music'");
    browser.fill("#depth_max", "1");
    // The page that comes has the same address, and the same in its field.
    browser.run("document.body.dataset.old = 'yes'");
    browser.click("form.door button");
    let is_new = "return document.body?.dataset.old === undefined && document.readyState === 'complete' && \
                  document.querySelector('#depth_max')?.value === '1'";
    browser.wait("changed", is_new);
    browser.picture("crawl-form");
    browser.click("#ask-removal");
    browser.wait("the question", "return document.querySelector('#remove') !== null");
    browser.picture("crawl-removal");
    browser.click("#remove");
    browser.wait(
        "gone",
        "return location.pathname === '/crawls' && !document.body.innerText.includes('night music')",
    );
}

/// The pages of the navigation.
const PAGES: [&str; 10] = [
    "/overview",
    "/cases",
    "/recordings",
    "/licences",
    "/crawls",
    "/notices",
    "/verify",
    "/accounts",
    "/webhooks",
    "/api",
];

#[test]
fn the_desk_speaks_three_languages_on_all_screens() {
    let house = House::new();
    let desk = Desk::serve(house.path());
    let mut is_set_up = false;
    for (language, word, chosen) in
        [("en", "Cases", "zh-Hans"), ("zh-CN", "案件", "ja"), ("ja", "案件", "en")]
    {
        let Some(mut browser) = Browser::start(language) else { return };
        if is_set_up {
            browser.go(&format!("http://{}/sign-in", desk.address));
            browser.fill("#name", "mika");
            browser.fill("#password", PASSWORD);
            browser.press("\u{E007}");
        } else {
            sign_in(&mut browser, &desk);
            make_webhook(&desk);
            is_set_up = true;
        }
        browser
            .wait("in", "return document.querySelector('nav') !== null && location.pathname !== '/sign-in'");
        let lang = browser.run("return document.documentElement.lang").as_str().unwrap().to_owned();
        assert_eq!(lang.get(..2), language.get(..2));
        assert!(browser.text().contains(word), "{}", browser.text());
        let case = format!("/cases/{}", house.case_id);
        for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360)] {
            browser.prefer(scheme);
            browser.resize(width, 800);
            for path in PAGES.iter().copied().chain([case.as_str()]) {
                browser.go(&format!("http://{}{path}", desk.address));
                // Nothing but what scrolls by itself is wider than the window.
                let wide =
                    "return document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1";
                assert_eq!(browser.run(wide), true, "{language} {scheme} {width} {path}");
                let name = path.trim_start_matches('/').split('/').next().unwrap();
                let name = if path == case { "case" } else { name };
                browser.picture(&format!("{language}-{name}-{scheme}-{width}"));
            }
        }
        assert_quiet(&mut browser, &desk);
        browser.resize(1280, 800);
        browser.go(&format!("http://{}/overview", desk.address));
        browser.click(&format!("footer a[hreflang={chosen}]"));
        browser.wait("another language", &format!("return document.documentElement.lang === '{chosen}'"));
    }
}

#[test]
fn somebody_verifies_a_bundle_of_others() {
    let house = House::new();
    let (bundle, root) = house.export();
    let bundle = bundle.canonicalize().unwrap();
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let flipped = house.path().canonicalize().unwrap().join("flipped.wacz");
    fs::write(&flipped, bytes).unwrap();
    let Some(mut browser) = Browser::start("en") else { return };
    let desk = Desk::serve(house.path());
    sign_in(&mut browser, &desk);
    browser.click("nav a[href='/verify']");
    browser.wait("the page", "return location.pathname === '/verify'");
    browser.choose("#bundle", &bundle);
    browser.fill("#root", &root);
    browser.click("form.door button");
    browser.wait("the checks", "return document.querySelector('#checks') !== null");
    assert_eq!(
        browser.run("return document.querySelector('#checks').dataset.passed"),
        "true",
        "{}",
        browser.text()
    );
    assert!(browser.text().contains(&root), "{}", browser.text());
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360)] {
        browser.prefer(scheme);
        browser.stretch(width);
        let wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1";
        assert_eq!(browser.run(wide), true, "{scheme} {width}");
        browser.picture(&format!("verified-{scheme}-{width}"));
    }
    browser.resize(1280, 1000);
    browser.choose("#bundle", &flipped);
    browser.click("form.door button");
    browser.wait("it fails", "return document.querySelector('#checks')?.dataset.passed === 'false'");
    let failed = browser.run(
        "return [...document.querySelectorAll('#checks tbody tr')].filter((one) => one.cells[1].textContent === 'failed')\
         .map((one) => one.cells[0].textContent)",
    );
    assert!(!failed.as_array().unwrap().is_empty(), "{}", browser.text());
    assert!(browser.text().contains("do not rely on this file"), "{}", browser.text());
    browser.picture("verified-flipped");
    assert_quiet(&mut browser, &desk);
}

/// Texts that a site may serve, each of which must stay text.
fn hostile() -> Vec<String> {
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><a xlink:href=\"javascript:alert(1)\">x</a></svg>",
        "javascript:alert(1)//https://a.example/",
        "https://evil.example/\u{202E}3pm.exe\u{2066}",
        "{{ 7*7 }}${7*7}<%= 7*7 %>",
        "</title></textarea></style></script><iframe src=https://evil.example></iframe>",
        "<link rel=stylesheet href=https://evil.example/x.css><base href=https://evil.example/>",
        "<meta http-equiv=refresh content=0;url=https://evil.example/>",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["x".repeat(10_000), "夜".repeat(3000)])
    .collect()
}

#[test]
fn what_a_site_serves_stays_text() {
    let house = House::new();
    {
        let store = Store::open(&house.path().join("store")).unwrap();
        let case = find(&store, &house.case_id).unwrap();
        for (number, text) in hostile().into_iter().enumerate() {
            let mut odd: Case = case.clone();
            odd.case_id = format!("C-00000000{number:02x}");
            odd.domain = text.chars().take(3000).collect();
            odd.territory = Some(text.chars().take(500).collect());
            for seen in &mut odd.sightings {
                seen.media_url.clone_from(&text);
                seen.page_url = Some(text.chars().take(4000).collect());
                seen.page_title = Some(text.chars().take(4000).collect());
                seen.content_type = Some(text.chars().take(300).collect());
            }
            odd.verdict.reasons = vec![text.clone()];
            for entry in &mut odd.history {
                entry.note = Some(text.chars().take(2000).collect());
                entry.actor = text.chars().take(300).collect();
            }
            store.put(&odd).unwrap();
        }
    }
    let Some(mut browser) = Browser::start("en") else { return };
    let desk = Desk::serve(house.path());
    sign_in(&mut browser, &desk);
    let mut paths = vec!["/cases".to_owned(), "/overview".to_owned(), "/notices".to_owned()];
    paths.extend((0..hostile().len()).map(|number| format!("/cases/C-00000000{number:02x}")));
    for path in paths {
        for width in [1280, 360] {
            browser.resize(width, 800);
            browser.go(&format!("http://{}{path}", desk.address));
            // An open dialog would make this fail; so would a page that has gone elsewhere.
            let stands = "return location.host + ' ' + document.querySelectorAll('iframe, object, embed, base, meta[http-equiv]').length";
            assert_eq!(browser.run(stands), format!("{} 0", desk.address), "{path}");
            let foreign = "return [...document.querySelectorAll('a[href], form[action], img[src], audio[src]')]\
                .filter((one) => { const url = new URL(one.href ?? one.action ?? one.src); return url.host !== location.host || !url.protocol.startsWith('http'); }).length";
            assert_eq!(browser.run(foreign), 0, "{path}");
            let wide =
                "return document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1";
            assert_eq!(browser.run(wide), true, "{path} at {width}");
        }
        browser.picture(&format!("hostile{}", path.replace('/', "-")));
    }
    // The sounds and pictures of made-up cases are found missing, which the browser tells; nothing else is told.
    let own = format!("http://{}/", desk.address);
    for url in browser.requests() {
        assert!(
            url.starts_with(&own) || url.starts_with("data:") || url.starts_with("about:"),
            "asked for {url}"
        );
    }
    for line in browser.log() {
        assert!(!line.contains("Content Security Policy") && !line.contains("Refused"), "{line}");
    }
}

/// The checker of accessibility, as `.ci/run` fetches it.
fn axe() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/axe/package/axe.min.js");
    if !path.is_file() {
        eprintln!("SKIPPED: axe-core is not at {}; .ci/run puts it there", path.display());
        return None;
    }
    Some(path)
}

/// Makes, of a house's one case, what the pages behind those of the navigation show; gives their paths.
fn make_pages(desk: &Desk, house: &House) -> Vec<String> {
    let mut program = super::api::program(desk, desk.signed_in("mika"));
    let id = house.case_id.as_str();
    let approval = json!({"cases": [id], "decision": "approve", "note": "we never licensed it"});
    assert_eq!(program.send_json("POST", "/api/v1/decisions", &approval).status, 200);
    make_webhook(desk);
    let bundle = program.send_json("POST", &format!("/api/v1/cases/{id}/bundles"), &json!({}));
    assert_eq!(bundle.status, 201, "{}", bundle.text());
    let site = json!({"name": "loop", "settings": {"seeds": ["https://music.example/new"]}});
    assert_eq!(program.send_json("POST", "/api/v1/sites", &site).status, 201);
    let bundle = bundle.json()["name"].as_str().unwrap().to_owned();
    let mut paths = vec![format!("/cases/{id}"), format!("/bundles/{bundle}")];
    let fixed = [
        "/cases?q=nothing",
        "/cases?state=approved",
        "/recordings/one",
        "/licences/L2",
        "/crawls/loop",
        "/crawls/loop/remove",
        "/notices?form=dmca&preview=1",
        "/nothing",
    ];
    paths.extend(fixed.map(str::to_owned));
    paths
}

#[test]
fn no_page_has_a_serious_fault_of_accessibility() {
    let (Some(axe), Some(mut browser)) = (axe(), Browser::start("en")) else { return };
    let axe = fs::read_to_string(axe).unwrap();
    let house = house_with_parties();
    super::owned::import(&house);
    let desk = Desk::serve(house.path());
    browser.go(&format!("http://{}/set-up", desk.address));
    let mut faults = check_accessibility(&mut browser, &axe, "/set-up");
    sign_in(&mut browser, &desk);
    let more = make_pages(&desk, &house);
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for path in PAGES.into_iter().chain(more.iter().map(String::as_str)) {
            browser.go(&format!("http://{}{path}", desk.address));
            // A fault's page says its status.
            let is_there = "return document.querySelector('p[role=alert] > .faint') === null";
            assert_eq!(browser.run(is_there), path != "/nothing", "{path}: {}", browser.text());
            faults.extend(check_accessibility(&mut browser, &axe, &format!("{path} {scheme}")));
        }
    }
    browser.go(&format!("http://{}/sign-in", desk.address));
    faults.extend(check_accessibility(&mut browser, &axe, "/sign-in"));
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Serious and critical findings on the page that is shown.
fn check_accessibility(browser: &mut Browser, axe: &str, page: &str) -> Vec<String> {
    browser.run(&format!("{axe}; window.axe = axe; window.found = null; axe.run().then((r) => {{ window.found = r; }}); return true"));
    browser.wait("accessibility", "return window.found !== null");
    let found = browser.run(
        "return window.found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))\
         .map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 200)).join(' | '))",
    );
    assert!(
        browser.run("return window.found.passes.length > 3") == Value::Bool(true),
        "{page}: nothing was checked"
    );
    let found = found.as_array().cloned().unwrap_or_default();
    found.into_iter().map(|one| format!("{page}: {}", one.as_str().unwrap_or_default())).collect()
}
