//! A configuration becomes a tree.

use super::{Tree, TreeInner};
use crate::{
    comparator::{key_order, name_of_stored},
    compression::CompressionType,
    config::{Config, FilterPolicyEntry, LEVELS_MAX, ManifestRecoveryMode, PinningPolicy},
    error::{Error, Result, invalid, of_tree, unsupported},
    filter,
    fs::of_tree as fs_of_tree,
    heal_hints::HealHints,
    merge_operator,
    metrics::Metrics,
    prefix_extractor,
    seqno::Generators,
};
use sediment_base::{filename, limits};
use sediment_env::Env;
use sediment_table::{FilterKind, Residency};
use sediment_tree::{TreeOptions, is_not_created, order_at_creation};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// Names of what the family keeps in a directory, none of which is a name of ours.
const FAMILY_V1: &str = "version";
const FAMILY_CURRENT: &str = "current";
const FAMILY_FORMAT: u8 = 5;

static NEXT_TREE_ID: AtomicU64 = AtomicU64::new(0);

impl Tree {
    /// Opens the tree of a configuration, or makes it.
    pub(crate) fn open(config: Config) -> Result<Self> {
        check(&config)?;
        let generators = Arc::new(Generators { seqno: Arc::clone(&config.seqno), visible: Arc::clone(&config.visible_seqno) });
        let options = options(&config, &generators)?;
        let metrics = Arc::new(Metrics::new(Arc::clone(&options.stats)));
        let env = Env::system().with_fs(fs_of_tree(&config.fs));
        check_format(&config)?;
        config.fs.create_dir_all(&config.path)?;
        let lock = env.fs.lock(&config.path.join(filename::LOCK)).map_err(of_tree)?;
        let tree = open_or_create(&env, &config, options.clone())?;
        let inner = TreeInner {
            tree,
            options,
            id: NEXT_TREE_ID.fetch_add(1, Ordering::Relaxed),
            generators,
            clock: env.clock,
            metrics,
            heal_hints: HealHints::new_shared(config.runtime.auto_heal),
            runtime: RwLock::new(Arc::new(config.runtime.clone())),
            flush_lock: Mutex::default(),
            history: RwLock::default(),
            compacting: AtomicUsize::new(0),
            flagged: Arc::default(),
            overlays: Mutex::default(),
            config,
            _lock: lock,
        };
        Ok(Self(Arc::new(inner)))
    }
}

impl TreeInner {
    /// Moves files that nothing names out of the way, before the first change of the structure.
    pub(super) fn move_orphans(&self) -> Result<()> {
        self.tree.move_orphans().map(drop).map_err(of_tree)
    }
}

/// Refuses what the tree has not.
fn check(config: &Config) -> Result<()> {
    config.runtime.validate()?;
    if config.kv_separation_opts.is_some() {
        return Err(unsupported("key-value separation"));
    }
    if config.encryption.is_some() {
        return Err(unsupported("encryption of files"));
    }
    if config.level_routes.is_some() {
        return Err(unsupported("level routes"));
    }
    if config.recovery_mode != ManifestRecoveryMode::AbsoluteConsistency {
        return Err(unsupported("recovery of a damaged manifest"));
    }
    if !(1..=LEVELS_MAX).contains(&config.level_count) {
        return Err(invalid(format!("level_count must be 1 to {LEVELS_MAX}")));
    }
    config.data_block_compression_policy.iter().try_for_each(|compression| check_dictionary(*compression, config))
}

fn check_dictionary(compression: CompressionType, config: &Config) -> Result<()> {
    let got = config.zstd_dictionary.as_ref().map(|dictionary| dictionary.id());
    match compression {
        CompressionType::ZstdDict { dict_id, .. } if got != Some(dict_id) => {
            Err(Error::ZstdDictMismatch { expected: dict_id, got })
        }
        _ => Ok(()),
    }
}

/// Refuses a directory of the family's own.
fn check_format(config: &Config) -> Result<()> {
    let has = |name: &str| config.fs.exists(&config.path.join(name));
    if has(FAMILY_V1)? {
        return Err(Error::InvalidVersion(1));
    }
    if has(FAMILY_CURRENT)? && !has(filename::CURRENT)? {
        return Err(Error::InvalidVersion(FAMILY_FORMAT));
    }
    Ok(())
}

fn open_or_create(env: &Env, config: &Config, options: TreeOptions) -> Result<sediment_tree::Tree> {
    match sediment_tree::Tree::open(env, &config.path, options.clone()) {
        Err(error) if is_not_created(&error) => {}
        Err(error) => return Err(refused(error, config)),
        Ok(tree) => return Ok(tree),
    }
    let uuid = env.random.uuid().map_err(of_tree)?;
    let tree = sediment_tree::Tree::create(env, &config.path, uuid, options).map_err(of_tree)?;
    if let Some(parent) = config.path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        env.fs.sync_dir(parent).map_err(of_tree)?;
    }
    Ok(tree)
}

fn refused(error: sediment_base::Error, config: &Config) -> Error {
    match order_at_creation(&error) {
        Some(stored) => {
            Error::ComparatorMismatch { stored: name_of_stored(stored).to_owned(), supplied: config.comparator.name() }
        }
        None => of_tree(error),
    }
}

/// The settings in the words of the tree.
fn options(config: &Config, generators: &Arc<Generators>) -> Result<TreeOptions> {
    let order = key_order(&config.comparator);
    let policy = &config.data_block_compression_policy;
    let (level0_codec, codec) = (policy[0].method()?, policy[policy.len() - 1].method()?);
    let wants_dictionary = policy.iter().any(|compression| compression.dict_id() != 0);
    let dictionary = config.zstd_dictionary.as_ref().filter(|_| wants_dictionary);
    let block_sizes = &config.data_block_size_policy;
    let extractor = config.prefix_extractor.as_ref().filter(|_| order.is_lexicographic());
    Ok(TreeOptions {
        order,
        merge_operator: config.merge_operator.as_ref().map(merge_operator::adapt),
        reads_raw_operands: true,
        block_bytes: (block_sizes[block_sizes.len() - 1] as usize).clamp(256, limits::BLOCK_BYTES_MAX),
        codec,
        level0_codec,
        dictionary_bytes: dictionary.map_or(0, |dictionary| dictionary.raw().len()),
        dictionary: dictionary.map(|dictionary| dictionary.adapt()).transpose()?.map(Arc::new),
        filter: FilterKind::SplitBlock,
        filter_bits_per_key: filter_bits(config),
        filter_residency: residency(&config.filter_block_pinning_policy),
        fence_residency: residency(&config.index_block_pinning_policy),
        prefix_extractor: extractor.map(prefix_extractor::adapt),
        entry_checksums: config.runtime.entry_checksums(),
        compaction_filter: config.compaction_filter_factory.as_ref().map(filter::adapt),
        table_bytes: 64 << 20,
        seqno_source: Some(Arc::clone(generators) as Arc<dyn sediment_tree::SeqnoSource>),
        ..TreeOptions::new(Arc::clone(config.cache.blocks()))
    })
}

/// What is not pinned comes through the cache.
fn residency(policy: &PinningPolicy) -> [Residency; limits::LEVELS_MAX] {
    std::array::from_fn(|level| if policy[level.min(policy.len() - 1)] { Residency::Resident } else { Residency::Paged })
}

/// The most that a level wants.
pub(super) fn filter_bits(config: &Config) -> u8 {
    let bits = |entry: &FilterPolicyEntry| match entry {
        FilterPolicyEntry::None => 0.0,
        FilterPolicyEntry::Bloom(policy) => policy.bits(),
    };
    config.filter_policy.iter().map(bits).fold(0.0, f64::max).ceil().min(32.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pinning_policy_says_what_is_in_memory_of_which_level() {
        let of = |config: Config| {
            let generators = Generators { seqno: Arc::clone(&config.seqno), visible: Arc::clone(&config.visible_seqno) };
            let options = options(&config, &Arc::new(generators)).expect("settings of a tree");
            [options.filter_residency, options.fence_residency]
                .map(|by_level| by_level.map(|residency| residency == Residency::Resident))
        };
        let first = |pinned: usize| std::array::from_fn(|level| level < pinned);
        assert_eq!(of(Config::default()), [first(1), first(2)]);
        let indexes = |policy| Config::default().index_block_pinning_policy(policy);
        assert_eq!(of(indexes(PinningPolicy::all(true))), [first(1), first(7)]);
        assert_eq!(of(indexes(PinningPolicy::disabled())), [first(1), first(0)]);
        assert_eq!(of(indexes(PinningPolicy::new([false, true]))), [first(1), std::array::from_fn(|level| level > 0)]);
        let filters = Config::default().filter_block_pinning_policy(PinningPolicy::all(true));
        assert_eq!(of(filters), [first(7), first(2)]);
    }
}
