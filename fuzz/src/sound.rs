//! What must hold of everything that the audio room gives, whatever the file.

use earwitness::audio::{Block, Error, Limits, MediaInfo, Source, decode, decode_frames};

/// Little audio, and fewer damaged packets than usual: what comes after is no other code.
pub const LIMITS: Limits = Limits { duration_max_s: 10.0, bad_packets_in_a_row_max: 64 };

/// Decodes a track and checks every block; gives the samples that came and what is said of them.
///
/// # Panics
/// When something does not hold.
pub fn decoded(source: &mut Source, track: usize) -> Result<MediaInfo, Error> {
    let mut samples = 0;
    let info = decode(source, track, &LIMITS, &mut |block| samples += check_block(block));
    if let Ok(info) = &info {
        assert!(samples <= 80 * 11_025, "{samples} samples in spite of the limit");
        assert!(info.duration_s.is_finite() && info.duration_s >= 0.0);
        check_info(info);
    }
    info
}

/// As [`decoded`], at the file's own rate.
///
/// # Panics
/// When something does not hold.
pub fn frames(source: &mut Source) {
    let _ = decode_frames(source, 0, &LIMITS, &mut |frames| {
        assert!((2_000..=768_000).contains(&frames.rate_hz));
        assert!(frames.right.is_none_or(|right| right.len() == frames.left.len()));
        check_samples(frames.left);
    });
}

fn check_block(block: &Block<'_>) -> usize {
    for view in [Some(block.mid), block.side, block.left, block.right].into_iter().flatten() {
        assert_eq!(view.len(), block.mid.len());
        check_samples(view);
    }
    block.mid.len()
}

fn check_samples(samples: &[f32]) {
    assert!(samples.iter().all(|sample| sample.is_finite()), "a sample is not a number");
}

fn check_info(info: &MediaInfo) {
    assert!((2_000..=768_000).contains(&info.sample_rate_hz) && info.channels > 0);
    assert!(
        info.warnings.len() <= 20 && info.warnings.iter().all(|warning| warning.len() <= 500),
        "{info:?}"
    );
    let tags = &info.tags;
    for text in [&tags.isrc, &tags.title, &tags.artist, &tags.album, &tags.label, &tags.upc, &tags.date] {
        let Some(text) = text else { continue };
        assert!(
            !text.is_empty() && text.chars().count() <= 500 && !text.chars().any(char::is_control),
            "{text:?}"
        );
    }
}
