//! `earwitness notice`: documents from approved cases.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::{Context, Exit, Usage, output};
use crate::base::chain;
use crate::notice::{Document as _, Form, Format, PageDetail, Templates};
use crate::scan::notifying::{self, Batch, Written, choose, export, today};

/// Takedown notices and other documents from approved cases.
#[derive(Debug, Args)]
pub(super) struct NoticeArgs {
    #[command(subcommand)]
    command: NoticeCommand,
}

#[derive(Debug, Subcommand)]
enum NoticeCommand {
    /// Write one document to each provider about its approved cases, in all formats that it has
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArgs),
    /// Write the built-in templates to a folder, to be changed and named in the configuration
    Templates(TemplatesArgs),
}

const EXPORT_HELP: &str = "\
The sender and the providers come from the configuration:
  [claim]
  signature = \"…\"                  # whose name stands under it [default: agent, else right holder]
  proof = [\"…\"]                    # papers that prove the right, listed as enclosures
  authorised_url = \"https://…/{isrc}\"  # where the recordings may lawfully be heard
  [claim.right_holder]             # and [claim.agent], if there is one
  name, id_document_type, id_document_number, legal_representative, address, post_code,
  contact_person, telephone, email, country = \"…\"
  [claim.en.right_holder]          # the same as English documents write it; [claim.ja…] for Japanese
  [providers.\"example.com\"]        # by the site's registrable domain
  name = \"…\"                       # needed; address, post_code, email, telephone, fax, icp_number, operator …
  [notice]
  templates = \"dir\"                # wording of your own; `notice templates --out dir` writes the built-in ones
Where a mandatory field is missing, all such are named, nothing is written, and the exit code is 2.";

#[derive(Debug, Args)]
struct ExportArgs {
    /// The kind of document
    #[arg(long, value_parser = form())]
    form: Form,
    /// The folder to write to; made where missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only these formats, of those that the document has [default: all]
    #[arg(long = "format", value_enum, value_delimiter = ',', value_name = "FORMAT")]
    formats: Vec<FormatArg>,
    /// Only these cases, approved or noticed before [default: all approved cases]
    #[arg(long = "case", value_name = "ID", num_args = 1..)]
    cases: Vec<String>,
    /// The document's date [default: today where it goes]
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// Also say the titles of the pages on which files were seen; they often tell of who put a file there
    #[arg(long, conflicts_with = "redact")]
    page_titles: bool,
    /// Say nothing of the pages, not even their addresses: the address of the file alone says where it is
    #[arg(long)]
    redact: bool,
}

#[derive(Debug, Args)]
struct TemplatesArgs {
    /// The folder to write to; made where missing. Files that are there already are left as they are
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Reads a form by its word, and tells what each is.
fn form() -> impl TypedValueParser<Value = Form> {
    let values = Form::ALL.iter().map(|form| PossibleValue::new(form.as_str()).help(about(*form)));
    PossibleValuesParser::new(values).try_map(|word| word.parse::<Form>())
}

const fn about(form: Form) -> &'static str {
    match form {
        Form::Ncac => "Model form of the National Copyright Administration of China, in Chinese",
        Form::Complaint => "Administrative complaint to a copyright authority of China, in Chinese",
        Form::Dmca => "Notification under 17 U.S.C. § 512(c)(3)",
        Form::Dsa => "Notice under Article 16 of the EU's Digital Services Act",
        Form::Japan => "Form A of the Japanese copyright guideline, in Japanese",
        Form::Acns => "ACNS 2.0 messages, XML",
        Form::Lumen => "Report to the Lumen database, JSON",
        Form::Google => "Google's bulk list, text of at most 1 MB a file",
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Pdf,
    Docx,
    Html,
    Json,
    Csv,
    Xlsx,
    Xml,
    Txt,
}

impl From<FormatArg> for Format {
    fn from(arg: FormatArg) -> Self {
        match arg {
            FormatArg::Pdf => Self::Pdf,
            FormatArg::Docx => Self::Docx,
            FormatArg::Html => Self::Html,
            FormatArg::Json => Self::Json,
            FormatArg::Csv => Self::Csv,
            FormatArg::Xlsx => Self::Xlsx,
            FormatArg::Xml => Self::Xml,
            FormatArg::Txt => Self::Txt,
        }
    }
}

pub(super) fn run(context: &Context, args: NoticeArgs) -> anyhow::Result<Exit> {
    match args.command {
        NoticeCommand::Export(args) => run_export(context, &args),
        NoticeCommand::Templates(args) => write_templates(&args),
    }
}

fn run_export(context: &Context, args: &ExportArgs) -> anyhow::Result<Exit> {
    let form = args.form;
    let formats = formats(form, &args.formats)?;
    let templates = templates(context)?;
    let now = context.clock.now();
    let store = context.open_store()?;
    let cases = choose(&store, form, &args.cases).map_err(usage)?;
    if cases.is_empty() {
        output::note(
            context,
            "no approved cases; `earwitness cases list`, then `earwitness cases approve ID`",
        );
        return Ok(Exit::Done);
    }
    let batch = Batch {
        form,
        formats: &formats,
        templates: &templates,
        date: args.date.unwrap_or_else(|| today(form, now)),
        now,
        pages: match (args.page_titles, args.redact) {
            (_, true) => PageDetail::Nothing,
            (true, false) => PageDetail::TitleAndAddress,
            (false, false) => PageDetail::Address,
        },
        actor: "earwitness",
        out: &args.out,
    };
    let mut told = Ok(());
    let exported = export(&store, &context.settings, cases, &batch, &mut |written| {
        let now_told = tell(context, written);
        if told.is_ok() {
            told = now_told;
        }
    })
    .map_err(usage)?;
    told?;
    for one in &exported.left_out {
        output::failed(&format!("case {}: {} is left out: {}", one.case_id, one.url, one.reason));
    }
    output::note(
        context,
        &format!(
            "wrong accusations to be expected in this batch by chance: {:.1e} at most",
            exported.expected_wrong
        ),
    );
    Ok(if exported.left_out.is_empty() { Exit::Done } else { Exit::SomeFailed })
}

/// The formats asked for, or all; one that the document does not have is a mistake.
fn formats(form: Form, asked: &[FormatArg]) -> anyhow::Result<Vec<Format>> {
    let known = form.formats();
    let asked: Vec<Format> = asked.iter().map(|format| Format::from(*format)).collect();
    if let Some(strange) = asked.iter().find(|format| !known.contains(format)) {
        let known: Vec<&str> = known.iter().map(|format| format.as_str()).collect();
        return Err(Usage(format!(
            "the {form} document does not exist as {}; it does as {}",
            strange.as_str(),
            known.join(", ")
        ))
        .into());
    }
    Ok(if asked.is_empty() { known.to_vec() } else { asked })
}

/// The templates that the configuration names; a mistake in them is one of the configuration.
pub(super) fn templates(context: &Context) -> anyhow::Result<Templates> {
    notifying::templates(&context.settings.notice)
        .map_err(|error| Usage(chain(&anyhow::Error::new(error).into_boxed_dyn_error().as_ref())).into())
}

/// What is to be mended in configuration, catalogue or call ends with the exit code for that.
pub(super) fn usage(error: notifying::Error) -> anyhow::Error {
    match error {
        notifying::Error::Unfit(what) => Usage(what).into(),
        notifying::Error::Incomplete(incomplete) => Usage(incomplete.to_string()).into(),
        notifying::Error::Cases(error) => super::case::usage(error),
        other => other.into(),
    }
}

fn tell(context: &Context, written: &Written) -> anyhow::Result<()> {
    if context.json {
        return output::json(written);
    }
    for file in &written.files {
        output::line(&format!("{}: {} cases → {}", written.domain, written.cases.len(), file.path.display()));
    }
    for one in &written.left_out {
        output::line(&format!("{}: left out {}: {}", written.domain, one.url, one.reason));
    }
    Ok(())
}

fn write_templates(args: &TemplatesArgs) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let mut kept = false;
    for (name, text) in Templates::built_in() {
        let path = args.out.join(name);
        if path.exists() {
            output::failed(&format!("{} is there already and is left as it is", path.display()));
            kept = true;
            continue;
        }
        notifying::write_whole(&path, text.as_bytes())?;
        output::line(&path.display().to_string());
    }
    Ok(if kept { Exit::SomeFailed } else { Exit::Done })
}
