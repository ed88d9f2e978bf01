//! The two libraries, each reading what the other wrote.

use super::{c, pure};
use crate::compress::{
    ZstdLevel,
    tests::{block, dictionary},
};

#[test]
fn either_library_reads_what_the_other_wrote() {
    let trained = dictionary();
    for (number, level, dictionary) in [(3, 1, None), (4, 3, Some(&*trained)), (5, 9, None), (6, 12, Some(&*trained))] {
        let (plain, level) = (block(number), ZstdLevel::new(level).unwrap());
        let (mut of_c, mut of_rust) = (Vec::new(), Vec::new());
        c::Encoder::new(level, dictionary).unwrap().compress(&plain, &mut of_c).unwrap();
        pure::Encoder::new(level, dictionary).unwrap().compress(&plain, &mut of_rust).unwrap();
        for stored in [of_c, of_rust] {
            let mut read = vec![0; plain.len()];
            c::Decoder::default().decompress(&stored, &mut read, dictionary).unwrap();
            assert_eq!(read, plain);
            read.fill(0);
            pure::decompress_once(&stored, &mut read, dictionary).unwrap();
            assert_eq!(read, plain);
        }
    }
}
