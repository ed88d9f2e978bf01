//! What a caller brings in code, by its name: key orders, prefix extractors, merge operators, compaction filters, strategies, codecs
//! and dictionaries. A keyspace stores the names; of codecs, the numbers.

use crate::options::{Compression, KeyspaceOptions};
use sediment_base::{
    BlockCodec, Bytewise, CompactionFilterFactory, Comparator, Error, KeyOrder, MergeOperator, PrefixExtractor, Result,
    merge_operator::{Add, Append, Max},
    prefix_extractor,
};
use sediment_codec::compress::{Dictionary, Method};
use sediment_tree::{Leveled, Strategy, strategy_by_name};
use std::{collections::BTreeMap, sync::Arc};

/// All of these by name.
#[derive(Clone, Debug)]
pub(crate) struct Components {
    comparators: BTreeMap<String, Arc<dyn Comparator>>,
    prefix_extractors: BTreeMap<String, Arc<dyn PrefixExtractor>>,
    merge_operators: BTreeMap<String, Arc<dyn MergeOperator>>,
    compaction_filters: BTreeMap<String, Arc<dyn CompactionFilterFactory>>,
    strategies: BTreeMap<String, Arc<dyn Strategy>>,
    codecs: BTreeMap<u8, Arc<dyn BlockCodec>>,
    dictionaries: BTreeMap<String, Arc<Dictionary>>,
}

impl Default for Components {
    /// Those that come with the database.
    fn default() -> Self {
        let mut components = Self {
            comparators: BTreeMap::new(),
            prefix_extractors: BTreeMap::new(),
            merge_operators: BTreeMap::new(),
            compaction_filters: BTreeMap::new(),
            strategies: BTreeMap::new(),
            codecs: BTreeMap::new(),
            dictionaries: BTreeMap::new(),
        };
        components.add_merge_operator(Arc::new(Add));
        components.add_merge_operator(Arc::new(Append));
        components.add_merge_operator(Arc::new(Max));
        components
    }
}

impl Components {
    /// Adds an order, in place of one of the same name.
    pub(crate) fn add_comparator(&mut self, comparator: Arc<dyn Comparator>) {
        self.comparators.insert(comparator.name().into(), comparator);
    }

    /// Adds an extractor, in place of one of the same name.
    pub(crate) fn add_prefix_extractor(&mut self, extractor: Arc<dyn PrefixExtractor>) {
        self.prefix_extractors.insert(extractor.name().into(), extractor);
    }

    /// Adds an operator, in place of one of the same name.
    pub(crate) fn add_merge_operator(&mut self, operator: Arc<dyn MergeOperator>) {
        self.merge_operators.insert(operator.name().into(), operator);
    }

    /// Adds a compaction filter, in place of one of the same name.
    pub(crate) fn add_compaction_filter(&mut self, factory: Arc<dyn CompactionFilterFactory>) {
        self.compaction_filters.insert(factory.name().into(), factory);
    }

    /// Adds a strategy, in place of one of the same name.
    pub(crate) fn add_strategy(&mut self, strategy: Arc<dyn Strategy>) {
        self.strategies.insert(strategy.name().into(), strategy);
    }

    /// Adds a codec, in place of one of the same number.
    pub(crate) fn add_codec(&mut self, codec: Arc<dyn BlockCodec>) {
        self.codecs.insert(codec.id(), codec);
    }

    /// Adds a dictionary, in place of one of the same name.
    pub(crate) fn add_dictionary(&mut self, name: String, dictionary: Arc<Dictionary>) {
        self.dictionaries.insert(name, dictionary);
    }

    /// All codecs that do not come with the database.
    pub(super) fn codecs(&self) -> Arc<[Arc<dyn BlockCodec>]> {
        self.codecs.values().cloned().collect()
    }

    /// What compresses blocks. In place of a codec that is not known, nothing does.
    pub(super) fn method(&self, compression: Compression) -> Method {
        match compression {
            Compression::None => Method::None,
            Compression::Lz4 => Method::Lz4,
            Compression::Zstd(level) => Method::Zstd(level),
            Compression::Other(id) => self.codecs.get(&id).map_or(Method::None, |codec| Method::Other(Arc::clone(codec))),
        }
    }

    /// The dictionary of a keyspace, if it has one that is known. Without it one is trained, if at all.
    pub(super) fn dictionary(&self, own: &KeyspaceOptions) -> Option<Arc<Dictionary>> {
        self.dictionaries.get(own.dictionary.as_deref()?).cloned()
    }

    /// The order of a keyspace's keys.
    pub(super) fn order(&self, own: &KeyspaceOptions) -> Result<KeyOrder> {
        match own.comparator.as_deref() {
            None | Some(Bytewise::NAME) => Ok(KeyOrder::bytewise()),
            Some(name) => match self.comparators.get(name) {
                Some(comparator) => Ok(KeyOrder::custom(Arc::clone(comparator))),
                None => {
                    let advice = "give it to DbBuilder::comparator";
                    Err(Error::invalid_input(format!("the order of keys {name:?} is not known: {advice}")))
                }
            },
        }
    }

    /// The prefix extractor of a keyspace, if it has one that is known. Without it tables are written without a filter of prefixes, and
    /// read without theirs.
    pub(super) fn prefix_extractor(&self, own: &KeyspaceOptions) -> Option<Arc<dyn PrefixExtractor>> {
        let name = own.prefix_extractor.as_deref()?;
        self.prefix_extractors.get(name).cloned().or_else(|| prefix_extractor::by_name(name))
    }

    /// The compaction filter of a keyspace, if it has one that is known. Without it compactions keep everything.
    pub(super) fn compaction_filter(&self, own: &KeyspaceOptions) -> Option<Arc<dyn CompactionFilterFactory>> {
        self.compaction_filters.get(own.compaction_filter.as_deref()?).cloned()
    }

    /// The strategy of a keyspace; the leveled one in place of one that is not known.
    pub(super) fn strategy(&self, own: &KeyspaceOptions) -> Arc<dyn Strategy> {
        own.strategy.as_deref().and_then(|name| self.strategy_named(name)).unwrap_or_else(|| Arc::new(Leveled))
    }

    fn strategy_named(&self, name: &str) -> Option<Arc<dyn Strategy>> {
        self.strategies.get(name).cloned().or_else(|| strategy_by_name(name))
    }

    /// The operator of a keyspace, if it has one that is known. Without it the keyspace can be opened, but not merged into.
    pub(super) fn merge_operator(&self, own: &KeyspaceOptions) -> Option<Arc<dyn MergeOperator>> {
        self.merge_operators.get(own.merge_operator.as_deref()?).cloned()
    }

    /// Refuses names of what is not there: for a keyspace that is being made.
    pub(super) fn check(&self, own: &KeyspaceOptions) -> Result<()> {
        self.order(own)?;
        self.check_changeable(own)?;
        check_known(&own.merge_operator, &self.merge_operators, "merge operator", "merge_operator")
    }

    /// Refuses what may change while a keyspace is open and is not there, or has no place.
    pub(super) fn check_changeable(&self, own: &KeyspaceOptions) -> Result<()> {
        self.check_strategy(own)?;
        check_known(&own.dictionary, &self.dictionaries, "dictionary", "dictionary")?;
        for compression in [own.compression, own.level0_compression] {
            self.check_codec(compression)?;
        }
        check_known(&own.compaction_filter, &self.compaction_filters, "compaction filter", "compaction_filter")?;
        self.check_prefixes(own)
    }

    fn check_strategy(&self, own: &KeyspaceOptions) -> Result<()> {
        match own.strategy.as_deref().filter(|name| self.strategy_named(name).is_none()) {
            None => Ok(()),
            Some(name) => {
                let advice = "give it to DbBuilder::strategy, or choose leveled, tiered, lazy, lazy-<percent>, fifo-<bytes> or fifo-<bytes>-<seconds>";
                Err(Error::invalid_input(format!("the strategy {name:?} is not known: {advice}")))
            }
        }
    }

    /// Refuses a codec that is not there.
    pub(super) fn check_codec(&self, compression: Option<Compression>) -> Result<()> {
        match compression {
            Some(Compression::Other(id)) if !self.codecs.contains_key(&id) => {
                Err(Error::invalid_input(format!("the codec {id} is not known: give it to DbBuilder::codec")))
            }
            _ => Ok(()),
        }
    }

    fn check_prefixes(&self, own: &KeyspaceOptions) -> Result<()> {
        let Some(name) = &own.prefix_extractor else { return Ok(()) };
        if !own.is_bytewise() {
            let advice = "leave out prefix_extractor or comparator";
            return Err(Error::invalid_input(format!("prefixes need keys in the order of bytes: {advice}")));
        }
        if self.prefix_extractor(own).is_none() {
            let advice = "give it to DbBuilder::prefix_extractor, or choose fixed-<length> or delimited-<byte>-<count>";
            return Err(Error::invalid_input(format!("the prefix extractor {name:?} is not known: {advice}")));
        }
        Ok(())
    }
}

/// Refuses a name that is not among those that are known; `setter` of the builder adds one.
fn check_known<T>(name: &Option<String>, known: &BTreeMap<String, T>, what: &str, setter: &str) -> Result<()> {
    let Some(name) = name.as_ref().filter(|name| !known.contains_key(*name)) else { return Ok(()) };
    let known: Vec<_> = known.keys().map(String::as_str).collect();
    let others = if known.is_empty() { String::new() } else { format!(", or choose one of: {}", known.join(", ")) };
    let advice = format!("give it to DbBuilder::{setter}{others}");
    Err(Error::invalid_input(format!("the {what} {name:?} is not known: {advice}")))
}
