//! What `check` and `crawl run` share: the pipeline with its options, and how its results are told.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use super::{Context, Exit, Usage, output};
use crate::base::{chain, lock};
use crate::cases::{Comparison, load_licences};
use crate::config::{FetchSettings, SiteSettings};
use crate::crawl::{self, Event, Plan, Status, Summary};
use crate::evidence::{environment, keep_environment};
use crate::rights::{LicenceGraph, Territory};
use crate::scan::{Checked, Finding, Library, Runner, Together, Told, together};
use crate::store::Store;

/// Where stderr is no terminal, how runs stand is told so often.
const PROGRESS_LINE_EVERY: Duration = Duration::from_secs(60);

/// Options of a check.
#[derive(Debug, clap::Args)]
pub(super) struct CheckOptions {
    /// Territory whose licences are asked, ISO 3166-1 alpha-2 [default: claim.territory of the configuration]
    #[arg(long, value_name = "CC")]
    pub(super) territory: Option<String>,
    /// Who runs the site, by the name used in licences [default: the page's domain]
    #[arg(long, value_name = "DOMAIN")]
    pub(super) operator: Option<String>,
    /// Allow addresses that are not public (loopback, private networks)
    #[arg(long)]
    pub(super) allow_private: bool,
}

/// What became of a run, over all inputs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    checked: u64,
    unlicensed: u64,
    undetermined: u64,
    licensed: u64,
    strangers: u64,
    failed: u64,
    pub(super) cancelled: bool,
}

/// Everything that one call of `check` or `crawl run` needs.
pub(super) struct Run<'a> {
    pub(super) context: &'a Context,
    pub(super) fetch: FetchSettings,
    library: Library,
    licences: LicenceGraph,
    territory: Option<String>,
    operator: Option<String>,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) cancel: CancellationToken,
    pub(super) together: Together,
    /// How crawls stand, where stderr is a terminal.
    bar: ProgressBar,
}

impl<'a> Run<'a> {
    pub(super) fn new(context: &'a Context, options: &CheckOptions) -> anyhow::Result<Self> {
        let territory = options.territory.clone().or_else(|| context.settings.claim.territory.clone());
        if let Some(code) = &territory {
            code.parse::<Territory>().map_err(|error| Usage(error.to_string()))?;
        }
        let mut fetch = context.settings.fetch.clone();
        fetch.allow_private |= options.allow_private;
        let library = Library::open(context.open_store()?)?;
        keep_environment(library.store(), &environment(context.clock.now(), fetch.proxy.as_deref()))?;
        if library.index().is_empty() {
            output::note(
                context,
                "the catalogue has no audio yet; add some with `earwitness catalog add PATH...`",
            );
        }
        let licences = load_licences(library.store())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let cancel = CancellationToken::new();
        runtime.spawn(cancel_on_ctrl_c(cancel.clone()));
        let operator = options.operator.clone();
        let mut warn = |problem: &str| output::note(context, &format!("warning: {problem}"));
        let together = together(&context.settings, &fetch, runtime.handle(), &mut warn)?;
        let bar = output::spinner(context);
        Ok(Self { context, fetch, library, licences, territory, operator, runtime, cancel, together, bar })
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        self.library.store()
    }

    /// How runs are done here.
    pub(super) fn runner(&self) -> Runner<'_> {
        Runner {
            library: &self.library,
            settings: &self.context.settings,
            fetch: &self.fetch,
            licences: &self.licences,
            territory: self.territory.as_deref(),
            operator: self.operator.as_deref(),
            clock: self.context.clock.as_ref(),
            together: &self.together,
            runtime: self.runtime.handle(),
            cancel: &self.cancel,
        }
    }

    /// Checks the media at one URL.
    pub(super) fn url(&self, url: &str, tally: &mut Tally) -> anyhow::Result<()> {
        let plan = Plan::for_url(url).map_err(|error| Usage(error.to_string()))?;
        let summary = self.carry_out(&plan, None, &Mutex::new(tally))?;
        if summary.found == 0 && summary.failed == 0 && !summary.cancelled {
            output::note(self.context, &format!("{url}: no audio found"));
        }
        Ok(())
    }

    /// Carries out the runs of several sites at once; a host of two of them is still asked by one at a time.
    pub(super) fn sites(&self, planned: &[(Plan, SiteSettings)], tally: &mut Tally) -> anyhow::Result<()> {
        let tally = Mutex::new(tally);
        let (ends, ended) = std::sync::mpsc::channel::<()>();
        let outcomes: Vec<anyhow::Result<()>> = std::thread::scope(|scope| {
            scope.spawn(move || self.show_progress(&ended));
            let running: Vec<_> =
                planned.iter().map(|(plan, site)| scope.spawn(|| self.site(plan, site, &tally))).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| resume_unwind(panic))
            };
            let outcomes = running.into_iter().map(join).collect();
            drop(ends);
            outcomes
        });
        outcomes.into_iter().collect()
    }

    /// Shows how the runs stand until `ended`: on a terminal all the time, otherwise a line now and then.
    fn show_progress(&self, ended: &Receiver<()>) {
        let mut told_at = Instant::now();
        while ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            let is_line = self.bar.is_hidden() && told_at.elapsed() >= PROGRESS_LINE_EVERY;
            if self.bar.is_hidden() && !is_line {
                continue;
            }
            let running = crawl::running(&self.context.store_path);
            let standing: Vec<String> = running.iter().map(standing).collect();
            if is_line {
                told_at = Instant::now();
                standing.iter().for_each(|text| output::note(self.context, text));
            } else {
                self.bar.set_message(standing.join("; "));
                self.bar.tick();
            }
        }
        self.bar.finish_and_clear();
    }

    fn site(&self, plan: &Plan, site: &SiteSettings, tally: &Mutex<&mut Tally>) -> anyhow::Result<()> {
        let summary =
            self.carry_out(plan, Some(site), tally).with_context(|| format!("site {}", plan.name))?;
        let name = &plan.name;
        output::note(
            self.context,
            &format!(
                "{name}: {} requests, {} pages, {} media, {} heard in part, {} skipped, {} failed, {}{}",
                summary.requests,
                summary.pages,
                summary.found,
                summary.probed,
                summary.skipped,
                summary.failed,
                indicatif::HumanBytes(summary.bytes),
                if summary.cancelled { "; `earwitness crawl resume` goes on" } else { "" }
            ),
        );
        Ok(())
    }

    /// Checks a local file.
    pub(super) fn file(&self, path: &Path, tally: &mut Tally) -> anyhow::Result<()> {
        let checked = self.runner().pipeline(None)?.check_file(path)?;
        self.tell_checked(&checked, tally);
        Ok(())
    }

    /// Says how many of what there were, and how the process ends.
    pub(super) fn finish(&self, tally: &Tally) -> Exit {
        output::note(
            self.context,
            &format!(
                "{} files checked: {} unlicensed, {} undetermined, {} licensed, {} strangers, {} failed{}",
                tally.checked,
                tally.unlicensed,
                tally.undetermined,
                tally.licensed,
                tally.strangers,
                tally.failed,
                if tally.cancelled { "; stopped before the end" } else { "" }
            ),
        );
        match tally {
            Tally { unlicensed: 1.., .. } => Exit::Unlicensed,
            Tally { failed: 1.., .. } => Exit::SomeFailed,
            _ => Exit::Done,
        }
    }

    fn carry_out(
        &self,
        plan: &Plan,
        site: Option<&SiteSettings>,
        tally: &Mutex<&mut Tally>,
    ) -> anyhow::Result<Summary> {
        let locked = || lock(tally);
        let mut tell = |told: Told<'_>| {
            self.bar.suspend(|| match told {
                Told::Checked(checked) => self.tell_checked(checked, &mut locked()),
                Told::Crawl(event) => self.tell_event(event, &mut locked()),
            });
        };
        let mut warn = |problem: &str| output::note(self.context, &format!("warning: {problem}"));
        let summary = self.runner().run(plan, site, &mut tell, &mut warn)?;
        locked().cancelled |= summary.cancelled;
        Ok(summary)
    }

    fn tell_event(&self, event: &Event, tally: &mut Tally) {
        match event {
            Event::Failed(failure) => {
                tally.failed += 1;
                output::failed(&output::inert(&chain(&failure.error)));
            }
            Event::Skipped(skip) => tracing::info!("skipped {}: {}", skip.url, skip.reason),
            Event::Page(page) => {
                tracing::info!("read {}: {} media, {} links", page.url, page.media, page.links);
                for problem in &page.problems {
                    output::note(self.context, &output::inert(&format!("warning: {}: {problem}", page.url)));
                }
            }
            Event::Lead(found) => {
                let code = found.lead.code.as_ref().map(|code| format!(", code {code}")).unwrap_or_default();
                let text = format!("lead: {}{code} (on {})", found.lead.target, found.page_url);
                output::note(self.context, &output::inert(&text));
            }
            Event::Found(..) | Event::Probe(..) => {}
        }
    }

    fn tell_checked(&self, checked: &Checked, tally: &mut Tally) {
        use crate::rights::Decision;
        tally.checked += 1;
        tally.failed += u64::from(checked.error.is_some());
        tally.strangers += u64::from(checked.error.is_none() && checked.findings.is_empty());
        for finding in &checked.findings {
            match finding.verdict.decision {
                Decision::Unlicensed => tally.unlicensed += 1,
                Decision::Undetermined => tally.undetermined += 1,
                Decision::Licensed => tally.licensed += 1,
            }
        }
        if let Some(error) = &checked.error {
            output::failed(&output::inert(error));
        }
        if self.context.json {
            // Nothing in a result can fail to be encoded: it holds text and finite numbers.
            let _ = output::json(checked);
        } else if checked.error.is_none() {
            self.print(checked);
        }
    }

    fn print(&self, checked: &Checked) {
        output::line(&output::inert(&checked.query));
        if let Some(page) = &checked.page_url {
            output::line(&format!("  on {}", output::inert(page)));
        }
        for warning in checked.media.iter().flat_map(|media| &media.warnings) {
            output::line(&output::inert(&format!("  warning: {warning}")));
        }
        if checked.findings.is_empty() {
            output::line("  no recording of the catalogue");
        }
        for finding in &checked.findings {
            self.print_finding(finding);
        }
    }

    fn print_finding(&self, finding: &Finding) {
        let verdict = finding.verdict.decision.as_str();
        let case = match (&finding.case_id, finding.case_is_new) {
            (Some(id), true) => format!(", new case {id}"),
            (Some(id), false) => format!(", case {id}"),
            (None, _) => String::new(),
        };
        let id = &finding.recording_id;
        output::line(&format!("  {verdict}: {id} ({}){case}", output::inert(&finding.title)));
        for reason in &finding.verdict.reasons {
            output::line(&format!("    because {reason}"));
        }
        for row in output::matches_table(self.context, &finding.matches).to_string().lines() {
            output::line(&format!("    {row}"));
        }
        for changed in finding.rights_information.iter().flat_map(Comparison::changed) {
            output::line(&format!("    rights information: {}", output::changed(changed)));
        }
    }
}

/// How a run stands, in one line.
fn standing(status: &Status) -> String {
    let summary = &status.job.summary;
    let media = summary.found + summary.probed;
    let name = output::inert(&status.job.name);
    format!("{name}: {} pages, {media} media, {} URLs wait", summary.pages, status.waiting)
}

/// The first Ctrl-C ends the run in good order; a second one ends the process.
pub(super) async fn cancel_on_ctrl_c(cancel: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        output::told("stopping; press Ctrl-C again to stop at once");
        cancel.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            #[allow(clippy::exit)] // all that is stored is stored already
            std::process::exit(130);
        }
    }
}
