//! The settings of an open database, together with what its trees share.

use crate::{
    instruments::Instruments,
    options::{Components, KeyspaceOptions, Options, Shape},
};
use sediment_base::Result;
use sediment_env::Fs;
use sediment_tree::{Reclaimer, Strategy, TreeOptions};
use std::sync::Arc;

/// What was asked for at opening, checked, and the components of all trees: what each keyspace's tree is made and opened with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    options: Options,
    named: Components,
    /// Its numbers are nobody's.
    components: TreeOptions,
}

/// A compaction is large for a machine if it reads more than such a part of its memory: it writes about as much.
const COLD_INPUTS_PER_MEMORY: u64 = 4;

impl Settings {
    /// Checks the options. All trees count with the same instruments.
    pub(crate) fn new(options: Options, named: Components, instruments: &Instruments) -> Result<Self> {
        options.validate()?;
        for compression in [options.expert.compression, options.expert.level0_compression] {
            named.check_codec(compression)?;
        }
        let components = TreeOptions {
            codecs: named.codecs(),
            stats: Arc::clone(&instruments.stats),
            listeners: instruments.events.for_trees(),
            ..TreeOptions::new(Arc::clone(&instruments.cache))
        };
        Ok(Self { options, named, components })
    }

    /// Lets another have files of trees removed.
    #[must_use]
    pub(crate) fn reclaimed_by(mut self, reclaimer: Option<Arc<dyn Reclaimer>>) -> Self {
        self.components.reclaimer = reclaimer;
        self
    }

    /// With compactions that leave nothing in the memory of a system with these files, if they are large for it.
    #[must_use]
    pub(crate) fn sparing_memory_of(mut self, fs: &dyn Fs) -> Self {
        let share = || fs.memory_bytes().map_or(u64::MAX, |bytes| bytes / COLD_INPUTS_PER_MEMORY);
        self.components.cold_input_bytes = self.options.expert.cold_input_bytes.unwrap_or_else(share);
        self
    }

    /// What was asked for.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// What the tree of a keyspace with these settings is like.
    pub(crate) fn shape(&self, own: &KeyspaceOptions) -> Shape {
        self.options.shape(own)
    }

    /// What the tree of a keyspace with these settings is given. `InvalidInput` if its order of keys is not known.
    pub(crate) fn tree_options(&self, own: &KeyspaceOptions) -> Result<TreeOptions> {
        let (order, merge_operator) = (self.named.order(own)?, self.named.merge_operator(own));
        let prefix_extractor = self.named.prefix_extractor(own).filter(|_| order.is_lexicographic());
        let compaction_filter = self.named.compaction_filter(own);
        let dictionary = self.named.dictionary(own);
        let shaped = self.shape(own).tree_options(&self.named, &self.components);
        Ok(TreeOptions { order, merge_operator, prefix_extractor, compaction_filter, dictionary, ..shaped })
    }

    /// Refuses names of what is not there: for a keyspace that is being made.
    pub(crate) fn check_names(&self, own: &KeyspaceOptions) -> Result<()> {
        self.named.check(own)
    }

    /// Refuses what may change while a keyspace is open and is not there, or has no place.
    pub(crate) fn check_changeable(&self, own: &KeyspaceOptions) -> Result<()> {
        self.named.check_changeable(own)
    }

    /// Which compactions are due in the tree of a keyspace.
    pub(crate) fn strategy(&self, own: &KeyspaceOptions) -> Arc<dyn Strategy> {
        self.named.strategy(own)
    }

    /// Whether operands of a keyspace can be folded.
    pub(crate) fn can_fold(&self, own: &KeyspaceOptions) -> bool {
        self.named.merge_operator(own).is_some()
    }
}
