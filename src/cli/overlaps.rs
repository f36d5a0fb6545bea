//! `earwitness catalog overlaps`: what recordings of the catalogue share with each other.

use super::{Context, Exit, Usage, output};
use crate::base::RecordingId;
use crate::catalog::Catalog;
use crate::scan::Library;
use crate::scan::overlap::{self, Depth, Overlap};

/// Overlaps that are named at import; the others are counted.
const NAMED_MAX: usize = 12;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where a stretch of a site's file is in two recordings, nobody can say which of them was used. Such a finding is \
UNDETERMINED where their licences differ; know your overlaps before that.

duplicate: nearly all of both is the same; contained: nearly all of one; shared: a passage. Alterations are of the \
first recording over the second. Repeats within one recording do not count. When audio is added, ten seconds of \
every thirty are looked for, and all of a recording where they hold another; --scan looks for all of everything.")]
pub(super) struct OverlapsArgs {
    /// Only those of this recording
    recording: Option<RecordingId>,
    /// Look for them anew, in all of the recording or catalogue; may take minutes an hour of audio
    #[arg(long)]
    scan: bool,
}

pub(super) fn run(context: &Context, args: &OverlapsArgs) -> anyhow::Result<Exit> {
    let store = context.open_store()?;
    let of = args.recording.as_ref();
    if let Some(id) = of
        && Catalog::new(&store).get(id)?.is_none()
    {
        return Err(
            Usage(format!("there is no recording `{id}`; `earwitness catalog list` shows all")).into()
        );
    }
    if !args.scan {
        return show(context, &overlap::list(&store, of)?);
    }
    let library = Library::open(store)?;
    let ids: Vec<RecordingId> = match of {
        Some(id) => vec![id.clone()],
        None => library.indexed(),
    };
    search(context, &library, &ids, Depth::Whole, &mut |_| {})?;
    show(context, &overlap::list(library.store(), of)?)
}

/// Looks for what new recordings share with others, and says so on stderr.
pub(super) fn tell_of(context: &Context, library: &Library, fresh: &[RecordingId]) -> anyhow::Result<()> {
    let mut told = 0;
    let mut tell = |one: &Overlap| {
        told += 1;
        if told <= NAMED_MAX {
            output::note(context, &format!("overlap: {} and {}", one.recording_id, words(one)));
        }
    };
    let found = search(context, library, fresh, Depth::Sampled, &mut tell)?;
    if found > NAMED_MAX {
        output::note(context, &format!("overlap: {} more", found - NAMED_MAX));
    }
    if found > 0 {
        output::note(context, "`earwitness catalog overlaps` lists what recordings share with each other");
    }
    Ok(())
}

fn search(
    context: &Context,
    library: &Library,
    ids: &[RecordingId],
    depth: Depth,
    tell: &mut dyn FnMut(&Overlap),
) -> anyhow::Result<usize> {
    let bar = output::progress(context, ids.len());
    bar.set_message("looking for overlaps");
    let found = overlap::search(library, ids, depth, &context.match_options(), &mut |done, total, new| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.suspend(|| new.iter().for_each(&mut *tell));
        true
    });
    bar.finish_and_clear();
    Ok(found?)
}

/// The other recording, and what is shared with it.
pub(super) fn words(one: &Overlap) -> String {
    let kind = match one.kind {
        overlap::OverlapKind::Duplicate => "share nearly all of both",
        overlap::OverlapKind::Contained => "share nearly all of one",
        overlap::OverlapKind::Shared => "share a passage",
    };
    format!(
        "{} {kind}: {} and {}{}",
        one.with,
        output::span(one.start_s, one.end_s),
        output::span(one.with_start_s, one.with_end_s),
        altered(one)
    )
}

fn altered(one: &Overlap) -> String {
    let words = output::factors(one.speed, one.tempo, one.pitch_semitones);
    if words.is_empty() { String::new() } else { format!(", {}", words.join(", ")) }
}

fn show(context: &Context, overlaps: &[Overlap]) -> anyhow::Result<Exit> {
    if context.json {
        for one in overlaps {
            output::json(one)?;
        }
        return Ok(Exit::Done);
    }
    let header = ["recording", "from – to", "and", "from – to", "kind", "altered", "log10 false match"];
    let mut table = output::table(context, &header);
    for one in overlaps {
        let words = output::factors(one.speed, one.tempo, one.pitch_semitones);
        table.add_row([
            one.recording_id.to_string(),
            output::span(one.start_s, one.end_s),
            one.with.to_string(),
            output::span(one.with_start_s, one.with_end_s),
            one.kind.as_str().to_owned(),
            if words.is_empty() { "as it is".to_owned() } else { words.join(", ") },
            format!("{:.1}", one.log10_false_match),
        ]);
    }
    output::line(&table.to_string());
    output::note(context, &format!("{} overlaps", overlaps.len()));
    Ok(Exit::Done)
}
