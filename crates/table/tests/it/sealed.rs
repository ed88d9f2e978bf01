//! Table files taken apart and put back: frames that are damaged, and frames of nonsense with checksums that fit.

use crate::rows::path;
use sediment_base::FileUuid;
use sediment_codec::{
    compress::Unpacker,
    seal::{FrameId, Seal},
};
use sediment_env::random::SeededRandom;
use sediment_table::TableContext;

/// Bytes of the table, and where its frames begin.
pub(crate) fn frames(context: &TableContext) -> (Vec<u8>, Vec<usize>) {
    let file = context.fs.open(&path()).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(0, &mut bytes).unwrap();
    let mut frames = Vec::new();
    let mut at = 128;
    while at < bytes.len() - 128 {
        frames.push(at);
        at += Seal::peek(&bytes[at..]).unwrap().frame_bytes() as usize;
    }
    (bytes, frames)
}

/// Makes these the bytes of the table.
pub(crate) fn put(context: &TableContext, bytes: &[u8]) {
    context.fs.remove_file(&path()).unwrap();
    context.fs.create(&path()).unwrap().write_at(0, bytes).unwrap();
}

/// The table with a few bytes of the frame at `at` changed, mostly near its beginning or its end, and with a checksum that fits.
pub(crate) fn with_nonsense(uuid: FileUuid, bytes: &[u8], at: usize, random: &SeededRandom) -> Vec<u8> {
    let seal = Seal { uuid };
    let (header, plain) = seal.open(&Unpacker::default(), at as u64, &bytes[at..]).unwrap();
    let mut plain = plain.into_owned();
    for _ in 0..=random.below(3) {
        let near = random.below((plain.len() as u64).min(if random.below(2) == 0 { 200 } else { u64::MAX })) as usize;
        let place = if random.below(4) == 0 { plain.len() - 1 - near } else { near };
        plain[place] = [0, 1, 0x7F, 0x80, 0xFF, plain[place] ^ 1, plain[place].wrapping_add(1)][random.below(7) as usize];
    }
    let ordinal = header.ordinal ^ u32::from(random.below(9) == 0);
    let mut frame = Vec::new();
    seal.seal(FrameId { region: header.region, kind: header.kind, ordinal }, at as u64, &plain, &mut frame).unwrap();
    let mut changed = bytes.to_vec();
    changed[at..at + frame.len()].copy_from_slice(&frame);
    changed
}
