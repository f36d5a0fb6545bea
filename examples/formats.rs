//! Prints what becomes of each file of a folder, as rows of a Markdown table:
//! `cargo run --example formats -- FOLDER [no-ffmpeg]`.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use earwitness::scan::worker::{Decoder, analyse_all};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| ".".into()));
    let program = std::env::current_exe()?;
    let program = program.ancestors().nth(2).unwrap_or(&program).join("earwitness");
    let mut decoder = Decoder::new(program);
    if arguments.next().is_some() {
        decoder = decoder.with_ffmpeg(None);
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    println!(
        "| file | container | codec | rate | channels | length | views | remarks |\n|---|---|---|---|---|---|---|---|"
    );
    analyse_all(&decoder, &files, 2, &mut |index, result| {
        let name = files[index].file_name().unwrap_or_default().to_string_lossy().replace('|', "\\|");
        match result {
            Ok(done) => {
                let views: Vec<&str> = done.fingerprints.iter().map(|(view, _)| view.as_str()).collect();
                let info = done.info;
                println!(
                    "| `{name}` | {} | {} | {} | {} | {:.2} s | {} | {} |",
                    info.container,
                    info.codec,
                    info.sample_rate_hz,
                    info.channels,
                    info.duration_s,
                    views.join(", "),
                    info.warnings.join("; ")
                );
                if index == 0 {
                    eprintln!("protections: {:?}", done.protections);
                }
            }
            Err(error) => println!(
                "| `{name}` | | | | | | | {} |",
                error.to_string().rsplit('/').next().unwrap_or_default()
            ),
        }
        true
    });
    Ok(())
}
