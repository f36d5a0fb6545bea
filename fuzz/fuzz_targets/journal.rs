//! The store's journal and its lines, and the lines of an import. Input: a byte that selects the parser, its bytes.
#![no_main]

use std::io::Cursor;

use earwitness::cases::Case;
use earwitness::catalog::Recording;
use earwitness::rights::Licence;
use earwitness::scan::overlap::Overlap;
use earwitness::store::{Kinds, fuzzing};
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    match selector % 4 {
        0 => {
            count("journal");
            let _ = fuzzing::walk(bytes);
        }
        1 => damaged_once(bytes),
        2 => line(bytes),
        _ => import(bytes),
    }
});

/// Frames of text are found again whatever one byte becomes, but for the one that it is in.
fn damaged_once(bytes: &[u8]) {
    let [a, b, damage, bytes @ ..] = bytes else { return };
    count("journal, one byte damaged");
    let text = String::from_utf8_lossy(bytes);
    let payloads: Vec<&[u8]> = text.split('\n').filter(|line| !line.is_empty()).map(str::as_bytes).collect();
    let mut journal = fuzzing::journal(7, &payloads);
    let (found, damaged) = fuzzing::walk(&journal);
    assert!(damaged == 0 && found == payloads);
    let at = usize::from(u16::from_le_bytes([*a, *b])) % journal.len();
    journal[at] ^= *damage;
    let (found, damaged) = fuzzing::walk(&journal);
    assert!(damaged <= 1 && found.len() + 1 >= payloads.len(), "{damaged} damaged, {} found", found.len());
    let mut rest = payloads.iter();
    assert!(found.iter().all(|payload| rest.any(|known| known == payload)), "in order, and nothing new");
}

fn line(bytes: &[u8]) {
    count("line");
    let Some(operation) = fuzzing::read_operation(bytes) else { return };
    count("line, whole");
    let written = fuzzing::write_operation(&operation);
    assert_eq!(fuzzing::read_operation(&written), Some(operation));
}

fn import(bytes: &[u8]) {
    count("import");
    let kinds = Kinds::new().with::<Recording>().with::<Licence>().with::<Case>().with::<Overlap>();
    let (taken, refused) = fuzzing::import(&mut Cursor::new(bytes), &kinds, 4096);
    if taken > 0 {
        count("import, some taken");
    }
    assert!(taken + refused <= bytes.len());
}
