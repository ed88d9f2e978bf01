//! What a root and its leaves say is what the fence says, or they are refused.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::*;
use crate::{
    format::{BODY_AT, kinds},
    index::{EncodedFence, FenceBuilder},
};
use sediment_base::Kind;
use sediment_codec::seal::{FRAME_HEADER_BYTES, Region};
use sediment_env::random::SeededRandom;
use sediment_raw::slab::{Buffer, Pool};

const BLOCKS: u64 = 600;

fn content(bytes: &[u8]) -> Content {
    Buffer::copied(&Pool::new(), bytes).share((), 0..bytes.len()).part(0..bytes.len())
}

/// Key and version of the first row of a block: one in seven goes on with the key of the block before.
fn first(block: u64) -> (Vec<u8>, SeqNo) {
    let key = if block % 7 == 6 { block - 1 } else { block };
    (format!("key/{:02}/{:09}", key / 50, key * 3).into_bytes(), 10_000 - block)
}

fn built() -> (EncodedFence, Range<u64>) {
    let mut builder = FenceBuilder::default();
    let mut offset = BODY_AT;
    for block in 0..BLOCKS {
        let (key, seqno) = first(block);
        let flags = if block % 7 == 6 { BlockFlags::CONTINUES } else { BlockFlags::default() };
        let bytes = 64 * (1 + block % 60);
        let place = BlockPlace { offset, bytes, min_seqno: block % 3, max_seqno: 10_000 - block, flags, global_seqno: 0 };
        builder.add(InternalKey::new(&key, seqno, Kind::Value), place);
        offset += bytes;
    }
    (builder.encode(&KeyOrder::bytewise()).unwrap(), BODY_AT..offset)
}

/// What a root and leaves say together, if nothing is wrong with them.
fn said(root: &[u8], leaves: &[Vec<u8>], data: &Range<u64>) -> Result<Vec<Option<BlockEntry>>> {
    let frame_bytes = |leaf: &Vec<u8>| (FRAME_HEADER_BYTES + leaf.len()).next_multiple_of(FRAME_ALIGN) as u64;
    let bytes = leaves.iter().map(frame_bytes).sum();
    let (id, frames) = (Region::Leaves as u8, leaves.len() as u32);
    let region = RegionEntry { id, is_required: true, kind: kinds::FENCE, frames, offset: data.end, bytes, plain_bytes: 0 };
    let root = Root::decode(&content(root), data.clone(), BLOCKS, &region)?;
    for (number, leaf) in leaves.iter().enumerate() {
        root.proven_leaf(number, leaf)?;
    }
    let find = |target: InternalKey<'_>| {
        let number = root.find(target, &KeyOrder::bytewise())?;
        let leaf = root.leaf(&leaves[number]).unwrap();
        assert!(leaf.find(target, &KeyOrder::bytewise()).is_some(), "a leaf begins where the root says");
        Some(root.entry(&leaf, root.find_in(&leaf, number, target, &KeyOrder::bytewise())))
    };
    Ok((0..BLOCKS)
        .flat_map(|block| {
            let (key, seqno) = first(block);
            let longer = [&key[..], b"?"].concat();
            [InternalKey::before(&key), InternalKey::new(&key, seqno, Kind::Value), InternalKey::before(&longer)].map(find)
        })
        .collect())
}

#[test]
fn they_say_what_the_fence_says() {
    let (EncodedFence { leaves, content: root, .. }, data) = built();
    assert!(leaves.len() > 5, "{}", leaves.len());
    let views: Vec<Leaf<'_>> = leaves.iter().map(|leaf| Leaf::view(leaf, 0).unwrap()).collect();
    let fence = Fence::decode(&content(&Leaf::join(&views).unwrap()), data.clone()).unwrap();
    assert_eq!(fence.blocks() as u64, BLOCKS);
    let said = said(&root, &leaves, &data).unwrap();
    for block in 0..BLOCKS {
        let (key, seqno) = first(block);
        let longer = [&key[..], b"?"].concat();
        let targets = [InternalKey::before(&key), InternalKey::new(&key, seqno, Kind::Value), InternalKey::before(&longer)];
        for (target, said) in targets.into_iter().zip(&said[block as usize * 3..]) {
            let found = fence.find(target, &KeyOrder::bytewise()).map(|number| {
                let is_continued = number + 1 < fence.blocks() && fence.continues(number + 1);
                BlockEntry { number, place: fence.place(number), is_continued }
            });
            assert_eq!(*said, found, "{target:?}");
        }
    }
}

#[test]
fn a_root_that_leads_elsewhere_than_its_leaves_is_refused() {
    let (EncodedFence { leaves, content: root, .. }, data) = built();
    let sound = said(&root, &leaves, &data).unwrap();
    let mut refused = 0;
    for at in 0..root.len() {
        for changed in [root[at] ^ 1, root[at] ^ 0x80, 0, root[at].wrapping_add(1)] {
            let mut bytes = root.clone();
            bytes[at] = changed;
            match said(&bytes, &leaves, &data) {
                Ok(said) => assert!(said == sound, "byte {at}, {changed}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > root.len() * 3 / 2, "{refused} of {}", root.len());
}

#[test]
fn a_leaf_that_is_not_the_one_of_its_root_is_refused() {
    let (EncodedFence { leaves, content: root, .. }, data) = built();
    let random = SeededRandom::new(6);
    for number in 0..leaves.len() {
        let mut others = leaves.clone();
        others.swap(number, (number + 1) % leaves.len());
        assert!(said(&root, &others, &data).is_err());
        for _ in 0..300 {
            let mut others = leaves.clone();
            let at = random.below(others[number].len() as u64) as usize;
            others[number][at] ^= 1 << random.below(8);
            // What is taken leads nobody astray from leaf to leaf; what it says of its own blocks, their checksums prove.
            let Ok(said) = said(&root, &others, &data) else { continue };
            assert!(said.iter().flatten().all(|entry| data.contains(&entry.place.offset)));
        }
    }
}
