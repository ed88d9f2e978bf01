//! Locators over hashes good and bad, and bytes of every kind.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::*;
use sediment_codec::hash::key_hash;
use sediment_raw::slab::{Buffer, Pool};

fn content(region: &[u8]) -> Content {
    Buffer::copied(&Pool::new(), region).share((), 0..region.len()).part(0..region.len())
}

/// Blocks by how many keys begin in them, and whether they begin with a key of the block before.
fn places_of(blocks: &[(usize, bool)]) -> (KeyPlaces, Vec<KeyPlace>) {
    let (mut noted, mut places, mut keys) = (KeyPlaces::default(), Vec::new(), 0);
    for (block, (own, continues)) in blocks.iter().enumerate() {
        keys += own;
        noted.end_block(keys, *continues);
        places.extend((0..*own).map(|slot| KeyPlace { block, slot: slot + usize::from(*continues) }));
    }
    (noted, places)
}

/// As many keys in each block, but the last.
fn even(keys: usize, per_block: usize) -> Vec<(usize, bool)> {
    (0..keys.div_ceil(per_block)).map(|block| (per_block.min(keys - block * per_block), false)).collect()
}

fn decode(region: &[u8], blocks: usize, keys: usize) -> Result<Locator> {
    Locator::decode(kinds::LOCATOR, &content(region), 640, blocks, keys as u64)
}

/// Finds each key, and says how far from its line one is at most.
fn check(hashes: &[u64], blocks: &[(usize, bool)]) -> u8 {
    let (noted, places) = places_of(blocks);
    let region = noted.encode(hashes).unwrap();
    assert!(region.len() <= noted.build_bytes());
    let locator = decode(&region, blocks.len(), hashes.len()).unwrap();
    assert_eq!(locator.offset(), 640);
    let far = hashes.iter().zip(&places).map(|(hash, place)| {
        assert!(locator.may_contain(*hash) && locator.places(*hash).any(|found| found == *place), "{hash:x} {place:?}");
        locator.distance(*hash, *place).unwrap()
    });
    let farthest = far.max().unwrap();
    assert!(locator.is_whole(farthest));
    assert!(farthest == 255 || !locator.is_whole(farthest + 1), "another farthest is not believed");
    farthest
}

fn hash(number: u64) -> u64 {
    key_hash(3, &number.to_le_bytes())
}

#[test]
fn every_key_is_found_where_it_is() {
    let sets: [Vec<u64>; 9] = [
        vec![0],
        vec![u64::MAX],
        vec![u64::MAX, 0, 1, 1 << 63, 1 << 32, (1 << 32) - 1],
        (0..5000).collect(),
        (0..300).map(|i| u64::MAX - i).collect(),
        (0..5000).map(|i| i << 32).collect(),
        (0..5000).map(|i| i << 52 | i).collect(),
        (0..64).map(|i| 1 << i).collect(),
        (0..100_000).map(hash).collect(),
    ];
    for hashes in sets {
        // The fourth and fifth belong into one line each, which is followed by full ones.
        if places_of(&even(hashes.len(), 30)).0.encode(&hashes).is_none() {
            assert!(hashes.len() == 5000, "{} keys", hashes.len());
            continue;
        }
        for per_block in [1, 30, 255, 256] {
            check(&hashes, &even(hashes.len(), per_block));
        }
    }
}

#[test]
fn keys_of_one_line_overflow_up_to_a_bound_and_around_the_end() {
    let same = |keys: usize, hash: u64| vec![hash; keys];
    assert_eq!(check(&same(16, u64::MAX), &even(16, 3)), 0);
    assert_eq!(check(&same(17, u64::MAX), &even(17, 3)), 1, "behind the last line is the first");
    assert_eq!(check(&same(16 * 256, 7), &even(16 * 256, 100)), 255);
    let (noted, _) = places_of(&even(16 * 256 + 1, 100));
    assert!(noted.encode(&same(16 * 256 + 1, 7)).is_none(), "too far");
}

#[test]
fn a_key_that_goes_on_from_the_block_before_takes_a_slot() {
    let blocks = [(3, false), (0, true), (0, true), (2, true), (1, false)];
    check(&(0..6).map(hash).collect::<Vec<_>>(), &blocks);
    assert_eq!(places_of(&blocks).1[3], KeyPlace { block: 3, slot: 1 });
}

#[test]
fn says_of_few_others_that_they_may_be_there() {
    // 15 bits for blocks, 5 for slots: 12 for tags.
    let (keys, blocks) = ((1 << 20) as usize - 20, even((1 << 20) - 20, 32));
    let hashes: Vec<u64> = (0..keys as u64).map(hash).collect();
    let region = places_of(&blocks).0.encode(&hashes).unwrap();
    assert!(region.len() <= keys * 5 + 128, "five bytes a key");
    let locator = decode(&region, blocks.len(), keys).unwrap();
    assert_eq!(locator.widths, Widths { block_bits: 15, slot_bits: 5 });
    let wrong = (0..200_000).filter(|i| locator.may_contain(hash(i + (1 << 40)))).count();
    let rate = wrong as f64 / 200_000.0;
    assert!((0.002..0.006).contains(&rate), "{rate}");
    assert!(locator.farthest < 40, "{}", locator.farthest);
}

#[test]
fn a_cell_without_room_for_a_tag_makes_none() {
    assert!(Widths::new(1 << 16, 255).is_some());
    assert!(Widths::new((1 << 16) + 1, 255).is_none());
    assert!(Widths::new(1 << 16, 256).is_none());
    assert!(Widths::new(0, 0).is_none());
    let widths = Widths::new(1, 0).unwrap();
    assert_eq!((widths.tag(u64::MAX), widths.tag(0)), (u32::MAX, 1), "all bits, and never 0");
    assert!(KeyPlaces::default().encode(&[]).is_none());
}

#[test]
fn other_shapes_lengths_and_tables_are_refused() {
    let blocks = even(50, 9);
    let region = places_of(&blocks).0.encode(&(0..50).map(hash).collect::<Vec<_>>()).unwrap();
    assert!(decode(&region, 6, 50).is_ok());
    for cut in 0..region.len() {
        assert!(decode(&region[..cut], 6, 50).is_err(), "{cut}");
    }
    for (blocks, keys) in [(0, 50), (3, 50), (9, 50), (6, 49), (6, 51)] {
        assert!(decode(&region, blocks, keys).is_err(), "{blocks} blocks, {keys} keys");
    }
    // Slots of other widths and other distances are for the check of the whole table.
    for at in (0..HEADER_BYTES).filter(|at| ![13, 14].contains(at)) {
        let mut changed = region.clone();
        changed[at] ^= 1;
        assert!(decode(&changed, 6, 50).is_err(), "byte {at}");
    }
    let mut wide = region.clone();
    wide[13] = 22;
    assert!(decode(&wide, 6, 50).is_err(), "no room for a tag");
    assert!(Locator::decode(2, &content(&region), 640, 6, 50).is_err(), "another kind");
}

#[test]
fn any_lines_are_survived() {
    let blocks = even(50, 9);
    let mut region = places_of(&blocks).0.encode(&(0..50).map(hash).collect::<Vec<_>>()).unwrap();
    region[14] = 255;
    region[HEADER_BYTES..].fill(0xFF);
    let locator = decode(&region, 6, 50).unwrap();
    for number in 0..200_000 {
        assert!(locator.places(hash(number)).count() <= 256 * CELLS, "it ends");
    }
    assert_eq!(
        locator.places(u64::MAX).next(),
        Some(KeyPlace { block: 7, slot: 15 }),
        "what is not there is the caller's to see"
    );
}
