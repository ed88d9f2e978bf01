//! Every name of `lsm_tree::compaction` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::compaction::*;

fn verdict_keeps_its_shape() {
    let _: Verdict = Verdict::Keep;
    let _: Verdict = Verdict::Remove;
    let _: Verdict = Verdict::RemoveWeak;
    let _: fn(UserValue) -> Verdict = Verdict::ReplaceValue;
    let _: Verdict = Verdict::Destroy;
    has!(Verdict: std::fmt::Debug);
    has!(Verdict: Default);
}

fn compaction_filter_keeps_its_shape<S: CompactionFilter>() {
    let _: fn(&mut S, ItemAccessor<'_>, &Context) -> Result<Verdict> = CompactionFilter::filter_item;
    let _: fn(Box<S>) -> () = CompactionFilter::finish;
}

fn factory_keeps_its_shape<S: Factory>() {
    let _: fn(&S) -> &str = Factory::name;
    let _: fn(&S, &Context) -> Box<dyn CompactionFilter> = Factory::make_filter;
}

fn item_accessor_keeps_its_shape() {
    let _: fn(&ItemAccessor<'static>) -> &'static UserKey = ItemAccessor::key;
    let _: fn(&ItemAccessor<'static>) -> SeqNo = ItemAccessor::seqno;
    let _: fn(&ItemAccessor<'static>) -> Result<UserValue> = ItemAccessor::value;
}

fn fifo_keeps_its_shape() {
    field!(Fifo::limit: u64);
    field!(Fifo::ttl_seconds: Option<u64>);
    let _: fn(u64, Option<u64>) -> Fifo = Fifo::new;
    has!(Fifo: Clone);
    has!(Fifo: CompactionStrategy);
}

fn ecc_heal_keeps_its_shape() {
    let _: fn(Arc<HealHints>, u64) -> EccHeal = EccHeal::new;
    has!(EccHeal: CompactionStrategy);
}

fn leveled_keeps_its_shape() {
    let _: fn(Leveled, Vec<f32>) -> Leveled = Leveled::with_level_ratio_policy;
    let _: fn(Leveled, u8) -> Leveled = Leveled::with_l0_threshold;
    let _: fn(Leveled, u64) -> Leveled = Leveled::with_table_target_size;
    let _: fn(Leveled, bool) -> Leveled = Leveled::with_dynamic_level_bytes;
    let _: fn(Leveled, bool) -> Leveled = Leveled::with_multi_level;
    has!(Leveled: Clone);
    has!(Leveled: CompactionStrategy);
    has!(Leveled: Default);
}

fn size_tiered_keeps_its_shape() {
    let _: fn(SizeTiered, f64) -> SizeTiered = SizeTiered::with_size_ratio;
    let _: fn(SizeTiered, usize) -> SizeTiered = SizeTiered::with_min_merge_width;
    let _: fn(SizeTiered, usize) -> SizeTiered = SizeTiered::with_max_merge_width;
    let _: fn(SizeTiered, u64) -> SizeTiered = SizeTiered::with_max_space_amplification_percent;
    let _: fn(SizeTiered, u64) -> SizeTiered = SizeTiered::with_table_target_size;
    has!(SizeTiered: Clone);
    has!(SizeTiered: CompactionStrategy);
    has!(SizeTiered: Default);
}

fn levelled_keeps_its_shape() {
    let _: Option<Levelled> = None;
}

fn compaction_action_keeps_its_shape() {
    let _: CompactionAction = CompactionAction::Nothing;
    let _: CompactionAction = CompactionAction::Merged;
    let _: CompactionAction = CompactionAction::Moved;
    let _: CompactionAction = CompactionAction::Dropped;
    has!(CompactionAction: Clone);
    has!(CompactionAction: Copy);
    has!(CompactionAction: std::fmt::Debug);
    has!(CompactionAction: Eq);
    has!(CompactionAction: PartialEq);
}

fn compaction_result_keeps_its_shape() {
    field!(CompactionResult::action: CompactionAction);
    field!(CompactionResult::dest_level: Option<u8>);
    field!(CompactionResult::tables_in: usize);
    field!(CompactionResult::tables_out: usize);
    let _: fn() -> CompactionResult = CompactionResult::nothing;
    has!(CompactionResult: Clone);
    has!(CompactionResult: std::fmt::Debug);
    has!(CompactionResult: Eq);
    has!(CompactionResult: PartialEq);
}

fn input_keeps_its_shape() {
    field!(Input::table_ids: HashSet<TableId, FxBuildHasher>);
    field!(Input::dest_level: u8);
    field!(Input::canonical_level: u8);
    field!(Input::target_size: u64);
    has!(Input: Clone);
    has!(Input: std::fmt::Debug);
    has!(Input: Eq);
    has!(Input: PartialEq);
}

fn choice_keeps_its_shape() {
    let _: Choice = Choice::DoNothing;
    let _: fn(Input) -> Choice = Choice::Move;
    let _: fn(Input) -> Choice = Choice::Merge;
    let _: fn(HashSet<TableId, FxBuildHasher>) -> Choice = Choice::Drop;
    has!(Choice: std::fmt::Debug);
    has!(Choice: Eq);
    has!(Choice: PartialEq);
}

fn compaction_strategy_keeps_its_shape<S: CompactionStrategy>() {
    let _: fn(&S) -> &'static str = CompactionStrategy::get_name;
    let _: fn(&S, &Version, &Config, &CompactionState) -> Choice = CompactionStrategy::choose;
}
