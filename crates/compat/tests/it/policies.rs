//! Policies by level (API 13).

use crate::common::World;
use lsm_tree::{
    AbstractTree, CompressionType, Config, Result,
    config::{
        BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry, HashRatioPolicy,
        PinningPolicy, RestartIntervalPolicy,
    },
};

#[test]
#[should_panic(expected = "data block restart interval must be greater than zero")]
fn no_restart_interval_panics() {
    let _ = Config::default().data_block_restart_interval_policy(RestartIntervalPolicy::all(0));
}

#[test]
#[should_panic(expected = "index block restart interval must be greater than zero")]
fn no_restart_interval_of_indexes_panics() {
    let _ = Config::default().index_block_restart_interval_policy(RestartIntervalPolicy::all(0));
}

#[test]
#[should_panic(expected = "compression policy may not be empty")]
fn a_policy_of_no_level_panics() {
    let _ = CompressionPolicy::new(Vec::new());
}

#[test]
#[should_panic(expected = "too large")]
fn a_policy_of_too_many_levels_panics() {
    let _ = BlockSizePolicy::new(vec![1; 256]);
}

#[test]
fn filters_are_active_within_their_bounds() {
    let bits = |bits| BloomConstructionPolicy::BitsPerKey(bits).is_active();
    let rate = |rate| BloomConstructionPolicy::FalsePositiveRate(rate).is_active();
    assert!(bits(1.0) && bits(64.0) && !bits(0.5) && !bits(65.0) && !bits(f32::NAN));
    assert!(rate(0.01) && !rate(0.0) && !rate(1.0));
    assert_eq!(BloomConstructionPolicy::default().estimated_filter_size(1000), 1250);
    assert!((1190..1210).contains(&BloomConstructionPolicy::FalsePositiveRate(0.01).estimated_filter_size(1000)));
}

/// Otherwise than in the family: the last entry alone, and within bounds.
#[test]
fn blocks_have_the_last_size_within_bounds() -> Result<()> {
    let blocks = |policy: BlockSizePolicy| -> Result<u64> {
        let world = World::with(|config| {
            let plain = CompressionPolicy::disabled();
            config.data_block_size_policy(policy).data_block_compression_policy(plain)
        })?;
        for n in 0..100 {
            world.put(&format!("{n:03}"), &"v".repeat(1000));
        }
        world.flush();
        Ok(world.tree.current_version().iter_tables().map(|table| table.metadata.data_block_count).sum())
    };
    let (small, default, large) =
        (blocks(BlockSizePolicy::all(1))?, blocks(BlockSizePolicy::all(4096))?, blocks(BlockSizePolicy::all(u32::MAX))?);
    assert_eq!((small, large), (100, 2));
    assert!((20..40).contains(&default), "{default}");
    assert_eq!(blocks(BlockSizePolicy::new([4096, 1]))?, small);
    Ok(())
}

#[test]
fn policies_are_lists_of_up_to_255_entries() {
    assert_eq!(BlockSizePolicy::new(vec![1; 255]).len(), 255);
    let policy = HashRatioPolicy::new([0.0, 0.5]);
    assert_eq!((&policy[..], policy.clone()), (&[0.0, 0.5][..], policy.clone()));
    assert_eq!(
        (&CompressionPolicy::disabled()[..], &PinningPolicy::disabled()[..]),
        (&[CompressionType::None][..], &[false][..])
    );
    assert_eq!(&FilterPolicy::disabled()[..], [FilterPolicyEntry::None]);
    assert_eq!(FilterPolicy::all(FilterPolicyEntry::None), FilterPolicy::disabled());
}

/// Otherwise than in the family: a level that wants the most bits has its way.
#[test]
fn filters_have_the_bits_of_the_level_that_wants_most() -> Result<()> {
    let bloom = |bits| FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(bits));
    let world = World::with(|config| config.filter_policy(FilterPolicy::new([FilterPolicyEntry::None, bloom(16.0)])))?;
    world.put("a", "a");
    world.put("c", "c");
    world.flush();
    assert_eq!((world.get("b"), world.tree.metrics().io_skipped_by_filter(), world.tree.filter_size()), (None, 1, 4));
    Ok(())
}
