//! Encrypted files of music platforms: recognised by their magic or name, never decrypted.

use std::path::Path;

/// Magic at the start of the file → scheme.
const MAGIC: [(&[u8], &str); 6] = [
    (b"CTENFDAM", "NetEase Cloud Music (.ncm)"),
    (
        &[0x7c, 0xd5, 0x32, 0xeb, 0x86, 0x02, 0x7f, 0x4b, 0xa8, 0xaf, 0xa6, 0x8e, 0x0f, 0xff, 0x99, 0x14],
        "Kugou (.kgm)",
    ),
    (
        &[0x05, 0x28, 0xbc, 0x96, 0xe9, 0xe4, 0x5a, 0x43, 0x91, 0xaa, 0xbd, 0xd0, 0x7a, 0xf5, 0x36, 0x31],
        "Kugou (.vpr)",
    ),
    (b"yeelion-kuwo", "Kuwo (.kwm)"),
    (b"kgm!", "Kugou (.kgm)"),
    (b"ifmt", "Xiami (.xm)"),
];

/// Mark at the very end of the file → scheme: the QQ Music family has no magic at its start.
const TAIL: [(&[u8], &str); 3] =
    [(b"QTag", "QQ Music (.qmc)"), (b"STag", "QQ Music (.qmc)"), (b"musicex\0", "QQ Music (.mflac, .mgg)")];

/// Extension → scheme, for files whose content says nothing.
const EXTENSIONS: [(&str, &str); 26] = [
    ("ncm", "NetEase Cloud Music (.ncm)"),
    ("uc", "NetEase Cloud Music's cache (.uc)"),
    ("qmc0", "QQ Music (.qmc)"),
    ("qmc2", "QQ Music (.qmc)"),
    ("qmc3", "QQ Music (.qmc)"),
    ("qmc4", "QQ Music (.qmc)"),
    ("qmc6", "QQ Music (.qmc)"),
    ("qmc8", "QQ Music (.qmc)"),
    ("qmcflac", "QQ Music (.qmc)"),
    ("qmcogg", "QQ Music (.qmc)"),
    ("tkm", "QQ Music (.tkm)"),
    ("bkcmp3", "QQ Music (.bkc)"),
    ("bkcflac", "QQ Music (.bkc)"),
    ("mflac", "QQ Music (.mflac)"),
    ("mflac0", "QQ Music (.mflac)"),
    ("mflach", "QQ Music (.mflac)"),
    ("mgg", "QQ Music (.mgg)"),
    ("mgg0", "QQ Music (.mgg)"),
    ("mgg1", "QQ Music (.mgg)"),
    ("mmp4", "QQ Music (.mmp4)"),
    ("kgm", "Kugou (.kgm)"),
    ("kgma", "Kugou (.kgm)"),
    ("vpr", "Kugou (.vpr)"),
    ("kwm", "Kuwo (.kwm)"),
    ("xm", "Xiami (.xm)"),
    ("x2m", "Ximalaya (.x2m)"),
];

/// Returns the scheme that the first or last bytes of a file show.
pub(super) fn scheme_by_content(head: &[u8], tail: &[u8]) -> Option<&'static str> {
    let head = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
    head.or_else(|| TAIL.iter().find(|(mark, _)| tail.ends_with(mark))).map(|(_, scheme)| *scheme)
}

/// Returns the scheme that a file's name shows; only for files whose content is not recognised as anything else.
#[must_use]
pub fn scheme_by_name(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    EXTENSIONS.iter().find(|(name, _)| *name == extension).map(|(_, scheme)| *scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_magic_tail_and_name() {
        assert_eq!(scheme_by_content(b"CTENFDAM....", b""), Some("NetEase Cloud Music (.ncm)"));
        assert_eq!(scheme_by_content(b"....", b"....STag"), Some("QQ Music (.qmc)"));
        assert_eq!(scheme_by_content(b"fLaC", b"...."), None);
        assert_eq!(scheme_by_name(Path::new("歌.MFLAC")), Some("QQ Music (.mflac)"));
        assert_eq!(scheme_by_name(Path::new("song.mp3")), None);
    }
}
