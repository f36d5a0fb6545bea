//! `earwitness evidence`: bundles of what was seen, and their verification by anybody.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, Exit, Usage, case, output};
use crate::base::{Digest, Recipient, chain};
use crate::cases::{Case, State, find, list, load_licences};
use crate::evidence::timestamp::{self, read_roots};
use crate::evidence::{
    self, Check, Demands, Outcome, PublicKey, attach_timestamp, factors, log, public_keys, rotate,
    signing_key, timestamp_imprint, verify,
};
use crate::notice::inert;
use crate::scan::bundling::{Bundler, captures_of};
use crate::scan::stamping::Authority;
use crate::scan::worker::Decoder;
use crate::scan::{Library, replay};
use crate::store::Store;

/// Signed bundles of evidence: make them, verify them, show the key
#[derive(Debug, Args)]
pub(super) struct EvidenceArgs {
    #[command(subcommand)]
    command: EvidenceCommand,
}

#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// Write one signed bundle (WACZ) for each case
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArgs),
    /// Decrypt the whole bundle that is sealed in a redacted one, and check it against what that one says
    #[command(after_help = OPEN_HELP)]
    Open(OpenArgs),
    /// Verify bundles offline: every byte, the signature, the match itself
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Have a bundle stamped by the configured time-stamp authority (RFC 3161), in place of a stamp that it may have
    Timestamp {
        /// The bundles
        #[arg(required = true, value_name = "BUNDLE")]
        bundles: Vec<PathBuf>,
    },
    /// Report which factor that a Chinese court looks at is answered by what in a bundle, in Chinese and English
    Factors {
        /// The bundle
        #[arg(value_name = "BUNDLE")]
        bundle: PathBuf,
        /// The page to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// The key that bundles are signed with
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// The operation log, its chain of digests checked
    Log {
        /// Only entries about this case
        #[arg(long = "case", value_name = "ID")]
        case: Option<String>,
    },
}

const EXPORT_HELP: &str = "\
With --redact a bundle is written that may be given to a provider or an opponent: without the bodies, pictures and titles of pages,
without cookies, passwords and tokens in addresses, and without what persons wrote about the case. The media stays, so that the
match can be made again. The whole bundle is sealed inside (`earwitness/annex.age`) for the keys of evidence.annex_recipients:

  age-keygen -o annex-key.txt                # prints the public key, age1…; the file opens annexes: keep it apart
  [evidence]
  annex_recipients = [\"age1…\"]

Whoever has such a file opens it with `earwitness evidence open`, or with unzip and age.";

const OPEN_HELP: &str = "\
The file that is written verifies by itself: `earwitness evidence verify FILE`. By hand:
  unzip -p BUNDLE earwitness/annex.age | age -d -i annex-key.txt > whole.wacz

Exit codes: 0 opened; 1 the identity does not open it, or what is inside is not what the bundle says; 2 wrong usage.";

const VERIFY_HELP: &str = "\
Needs nothing but the bundle, and no store. docs/evidence.md says how to do the same by hand with unzip, sha256sum and
openssl.

Exit codes: 0 no check failed; 1 at least one check failed; 2 wrong usage; 3 a file cannot be opened.";

#[derive(Debug, Args)]
struct ExportArgs {
    /// Only these cases [default: all but dismissed ones]
    #[arg(long = "case", value_name = "ID", num_args = 1..)]
    cases: Vec<String>,
    /// The folder to write to; made where missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave out what is about people, and seal the whole bundle inside
    #[arg(long)]
    redact: bool,
    /// Public key of age (age1…) that may open what is sealed [default: evidence.annex_recipients]
    #[arg(long = "recipient", value_name = "KEY", requires = "redact")]
    recipients: Vec<Recipient>,
}

#[derive(Debug, Args)]
struct OpenArgs {
    /// The redacted bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// File with the secret key, as `age-keygen` writes it
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The bundles
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// Public key (PEM) that must have signed; `earwitness evidence key show` prints it at its owner's
    #[arg(long, value_name = "PEM")]
    key: Option<PathBuf>,
    /// Merkle root that the bundle must have
    #[arg(long, value_name = "SHA256")]
    root: Option<Digest>,
    /// The bundle must be the newest of its case that the store knows of
    #[arg(long, conflicts_with = "root")]
    known: bool,
    /// Root certificates (PEM) that the time-stamp is verified against [default: evidence.timestamp_roots]
    #[arg(long, value_name = "PEM")]
    tsa_roots: Vec<PathBuf>,
    /// Do not decode and match again, nor cut the excerpts out again
    #[arg(long)]
    no_replay: bool,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print the public key as PEM; the key is made where there is none
    Show {
        /// Also those that were used before
        #[arg(long)]
        all: bool,
    },
    /// Make another key; the public part of the old one is kept
    Rotate,
}

pub(super) fn run(context: &Context, args: EvidenceArgs) -> anyhow::Result<Exit> {
    match args.command {
        EvidenceCommand::Export(args) => export(context, &args),
        EvidenceCommand::Open(args) => open(context, &args),
        EvidenceCommand::Verify(args) => verify_all(context, &args),
        EvidenceCommand::Timestamp { bundles } => stamp_all(context, &bundles),
        EvidenceCommand::Factors { bundle, out } => report_factors(context, &bundle, &out),
        EvidenceCommand::Key { command: KeyCommand::Show { all } } => show_key(context, all),
        EvidenceCommand::Key { command: KeyCommand::Rotate } => rotate_key(context),
        EvidenceCommand::Log { case } => show_log(context, case.as_deref()),
    }
}

fn export(context: &Context, args: &ExportArgs) -> anyhow::Result<Exit> {
    let recipients = recipients(context, args)?;
    let library = Library::open(context.open_store()?)?;
    let store = library.store();
    let chosen = choose(store, &args.cases)?;
    if chosen.is_empty() {
        output::note(context, "no cases; `earwitness check URL` and `earwitness crawl run` find them");
        return Ok(Exit::Done);
    }
    let now = context.clock.now();
    let (licences, key) = (load_licences(store)?, signing_key(store, now)?);
    let decoder = Decoder::of_this_program()?;
    let authority = authority(context)?;
    let stamp = authority.as_ref().map(|authority| |digest: &Digest| authority.stamp(digest));
    let bundler = Bundler {
        library: &library,
        decoder: &decoder,
        options: context.match_options(),
        settings: &context.settings,
        licences: &licences,
        key: &key,
        stamp: stamp.as_ref().map(|stamp| stamp as &evidence::Stamp<'_>),
        now,
    };
    let mut exit = Exit::Done;
    for case in &chosen {
        let made =
            captures_of(store, case).map_err(anyhow::Error::from).and_then(|captures| match &recipients {
                Some(recipients) => Ok(bundler.export_redacted(case, &captures, recipients, &args.out)?),
                None => Ok(bundler.export(case, &captures, Vec::new(), &args.out)?),
            });
        if let Some(why) = made.as_ref().ok().and_then(|sealed| sealed.timestamp_error.as_ref()) {
            output::note(
                context,
                &format!(
                    "warning: case {} has no time-stamp ({why}); `earwitness evidence timestamp` asks again",
                    case.case_id
                ),
            );
        }
        if let Some(authority) = &authority {
            authority.keep_readings(store)?;
        }
        match made {
            Ok(sealed) if context.json => output::json(&sealed)?,
            Ok(sealed) => {
                output::line(&format!(
                    "{}: {} (root {})",
                    sealed.case_id,
                    sealed.path.display(),
                    sealed.root
                ));
            }
            Err(error) => {
                output::failed(&format!("{error:#}"));
                exit = Exit::SomeFailed;
            }
        }
    }
    Ok(exit)
}

/// For whom the whole bundles are sealed; `None` where nothing is redacted.
fn recipients(context: &Context, args: &ExportArgs) -> anyhow::Result<Option<Vec<Recipient>>> {
    if !args.redact {
        return Ok(None);
    }
    let configured = &context.settings.evidence.annex_recipients;
    let chosen = if args.recipients.is_empty() { configured } else { &args.recipients };
    if chosen.is_empty() {
        return Err(Usage(
            "nobody could open the sealed annex: name public keys in evidence.annex_recipients, or with --recipient; `age-keygen -o \
             annex-key.txt` makes a key and prints its public part (age1…)"
                .to_owned(),
        )
        .into());
    }
    Ok(Some(chosen.clone()))
}

fn open(context: &Context, args: &OpenArgs) -> anyhow::Result<Exit> {
    const IDENTITY_BYTES_MAX: u64 = 64 << 10;
    let OpenArgs { bundle, identity, out } = args;
    let wrong =
        |path: &Path, error: std::io::Error| Usage(format!("cannot read {}: {error}", path.display()));
    let mut keys = String::new();
    let read = File::open(identity).and_then(|file| file.take(IDENTITY_BYTES_MAX).read_to_string(&mut keys));
    read.map_err(|error| wrong(identity, error))?;
    let file = File::open(bundle).map_err(|error| wrong(bundle, error))?;
    if out.exists() {
        return Err(Usage(format!("{} is there already, and is left as it is", out.display())).into());
    }
    match evidence::open_annex(&file, &keys, out) {
        Ok(opened) if context.json => output::json(&opened)?,
        Ok(opened) => output::line(&format!(
            "{}: {} bytes, root {}; {} withheld things as told",
            out.display(),
            opened.bytes,
            opened.root,
            opened.found
        )),
        Err(error @ (evidence::Error::Annex { .. } | evidence::Error::NotABundle { .. })) => {
            output::failed(&format!("{}: {}", bundle.display(), output::inert(&error.to_string())));
            return Ok(Exit::Unlicensed);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Done)
}

/// The configured time-stamp authority.
fn authority(context: &Context) -> anyhow::Result<Option<Authority<'_>>> {
    let made = Authority::configured(&context.settings, context.clock.as_ref());
    made.map_err(|error| Usage(chain(&error)).into())
}

fn stamp_all(context: &Context, bundles: &[PathBuf]) -> anyhow::Result<Exit> {
    let authority = authority(context)?.ok_or_else(|| {
        Usage(
            "no time-stamp authority is configured; set evidence.timestamp_url and evidence.timestamp_roots"
                .to_owned(),
        )
    })?;
    let mut exit = Exit::Done;
    for path in bundles {
        let stamped = File::open(path)
            .map_err(|error| format!("{}: {error}", path.display()))
            .and_then(|file| timestamp_imprint(&file).map_err(|error| chain(&error)))
            .and_then(|imprint| authority.stamp(&imprint))
            .and_then(|token| attach_timestamp(path, &token).map_err(|error| chain(&error)));
        match stamped {
            Ok(sha256) => output::line(&format!("{}: stamped (SHA-256 now {sha256})", path.display())),
            Err(why) => {
                output::failed(&format!("{}: {why}", path.display()));
                exit = Exit::SomeFailed;
            }
        }
    }
    Ok(exit)
}

fn report_factors(context: &Context, path: &Path, out: &Path) -> anyhow::Result<Exit> {
    let bundle =
        File::open(path).map_err(|error| Usage(format!("cannot open {}: {error}", path.display())))?;
    let report = factors::factors(&evidence::artefacts(&bundle).map_err(|error| Usage(error.to_string()))?);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let page = factors::render_factors(&report, &name)?;
    std::fs::write(out, page).with_context(|| format!("cannot write {}", out.display()))?;
    if context.json {
        output::json(&report)?;
    } else {
        output::line(&out.display().to_string());
    }
    Ok(Exit::Done)
}

fn choose(store: &Store, ids: &[String]) -> anyhow::Result<Vec<Case>> {
    if ids.is_empty() {
        let mut all = list(store, None)?;
        all.retain(|case| case.state != State::Dismissed);
        return Ok(all);
    }
    let mut chosen: Vec<Case> = Vec::new();
    for id in ids {
        let found = find(store, id).map_err(case::usage)?;
        if chosen.iter().all(|known| known.case_id != found.case_id) {
            chosen.push(found);
        }
    }
    Ok(chosen)
}

/// One line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    bundle: &'a Path,
    case_id: Option<&'a str>,
    root: Option<Digest>,
    #[serde(flatten)]
    check: &'a Check,
}

fn verify_all(context: &Context, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    let decoder = Decoder::of_this_program()?;
    let store = args.known.then(|| context.open_store()).transpose()?;
    let named =
        if args.tsa_roots.is_empty() { &context.settings.evidence.timestamp_roots } else { &args.tsa_roots };
    let roots = read_roots(named).map_err(|error| Usage(error.to_string()))?;
    let judge = |token: &[u8], digest: &Digest| timestamp::told(token, digest, &roots);
    let mut exit = Exit::Done;
    for path in &args.bundles {
        let bundle = match File::open(path) {
            Ok(bundle) => bundle,
            Err(error) => {
                output::failed(&format!("cannot open {}: {error}", path.display()));
                // A failed check says more.
                if exit != Exit::Unlicensed {
                    exit = Exit::SomeFailed;
                }
                continue;
            }
        };
        let root = match &store {
            Some(store) => Some(evidence::known_root(store, &bundle)?),
            None => args.root,
        };
        let run = |rerun: &evidence::Rerun<'_>| replay(&decoder, rerun);
        let demands = Demands {
            key: key.as_ref(),
            root: root.as_ref(),
            stamp: (!roots.is_empty()).then_some(&judge as &evidence::StampCheck<'_>),
            replay: if args.no_replay { None } else { Some(&run) },
            listener: if args.no_replay { None } else { Some(&decoder) },
        };
        let report = verify(&bundle, &demands);
        tell(context, path, &report)?;
        if !report.passed() {
            exit = Exit::Unlicensed;
        }
    }
    Ok(exit)
}

fn read_key(path: &Path) -> anyhow::Result<PublicKey> {
    const PEM_BYTES_MAX: u64 = 64 << 10;
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(PEM_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| Usage(format!("cannot read the key {}: {error}", path.display())))?;
    Ok(PublicKey::from_pem(&text, &path.display().to_string()).map_err(|error| Usage(error.to_string()))?)
}

fn tell(context: &Context, path: &Path, report: &evidence::Report) -> anyhow::Result<()> {
    if context.json {
        for check in &report.checks {
            let case_id = report.case_id.as_deref();
            output::json(&Line { bundle: path, case_id, root: report.root, check })?;
        }
        return Ok(());
    }
    let mut table = output::table(context, &["check", "result", "what was found"]);
    for Check { name, outcome, detail } in &report.checks {
        let result = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::NotChecked => "not checked",
        };
        table.add_row([(*name).to_owned(), result.to_owned(), inert(detail)]);
    }
    let case = report.case_id.as_deref().map(|id| format!(", case {}", inert(id))).unwrap_or_default();
    output::line(&format!("{}{case}", path.display()));
    output::line(&table.to_string());
    let summary = if report.passed() {
        "no check failed"
    } else {
        "at least one check FAILED: do not rely on this file"
    };
    output::line(summary);
    Ok(())
}

fn show_key(context: &Context, all: bool) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let key = signing_key(&store, context.clock.now())?.public();
    let mut known = public_keys(&store)?;
    known.retain(|record| all || record.key_id == key.id());
    for record in known {
        if context.json {
            output::json(&record)?;
            continue;
        }
        let retired = record.retired_at.map(|at| format!(", retired {at}")).unwrap_or_default();
        output::note(context, &format!("key {}, made {}{retired}", record.key_id, record.made_at));
        output::line(record.public_key.trim_end());
    }
    Ok(Exit::Done)
}

fn rotate_key(context: &Context) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let key = rotate(&store, context.clock.now())?.public();
    output::note(
        context,
        &format!("key {} signs from now on; give its public part to those who verify", key.id()),
    );
    output::line(key.to_pem().trim_end());
    Ok(Exit::Done)
}

fn show_log(context: &Context, id: Option<&str>) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let wanted = id.map(|id| find(&store, id)).transpose().map_err(case::usage)?;
    for record in store.scan::<log::LogRecord>("")? {
        let record = record?;
        let entry: log::LogEntry = serde_json::from_str(&record.entry)
            .with_context(|| format!("operation log, entry {}", record.number))?;
        if wanted.as_ref().is_some_and(|case| case.case_id != entry.subject) {
            continue;
        }
        if context.json {
            output::json(&entry)?;
        } else {
            let log::LogEntry { number, at, what, subject, actor, note, .. } = &entry;
            output::line(&format!(
                "{number} {at} {what} {} by {}: {}",
                inert(subject),
                inert(actor),
                inert(note)
            ));
        }
    }
    match log::check(&store) {
        Ok(head) => {
            output::note(
                context,
                &format!("{} entries, one unbroken chain up to {}", head.number, head.link),
            );
            Ok(Exit::Done)
        }
        Err(error @ evidence::Error::Log { .. }) => {
            output::failed(&error.to_string());
            Ok(Exit::Unlicensed)
        }
        Err(error) => Err(error.into()),
    }
}
