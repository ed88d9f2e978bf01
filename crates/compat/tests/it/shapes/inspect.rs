//! Every name of `lsm_tree::inspect` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::inspect::*;

fn table_properties_keeps_its_shape() {
    field!(TableProperties::id: u64);
    field!(TableProperties::file_size: u64);
    field!(TableProperties::min_key: Vec<u8>);
    field!(TableProperties::max_key: Vec<u8>);
    field!(TableProperties::item_count: u64);
    field!(TableProperties::tombstone_count: u64);
    field!(TableProperties::weak_tombstone_count: u64);
    field!(TableProperties::weak_tombstone_reclaimable: u64);
    field!(TableProperties::data_block_count: u64);
    field!(TableProperties::index_block_count: u64);
    field!(TableProperties::data_block_compression: CompressionType);
    field!(TableProperties::index_block_compression: CompressionType);
    field!(TableProperties::created_at_nanos: u128);
    field!(TableProperties::page_ecc: bool);
    field!(TableProperties::ecc_unrecognized: bool);
    field!(TableProperties::ecc_scheme: Option<EccSchemeInfo>);
    has!(TableProperties: Clone);
    has!(TableProperties: std::fmt::Debug);
}

fn ecc_scheme_info_keeps_its_shape() {
    let _: fn(&EccSchemeInfo) = |of| {
        if let EccSchemeInfo::Shard { data_shards, parity_shards } = of {
            let _: &u8 = data_shards;
            let _: &u8 = parity_shards;
        }
    };
    let _: EccSchemeInfo = EccSchemeInfo::Secded;
    let _: fn(EccSchemeInfo, usize) -> usize = EccSchemeInfo::parity_trailer_len;
    has!(EccSchemeInfo: Clone);
    has!(EccSchemeInfo: Copy);
    has!(EccSchemeInfo: std::fmt::Debug);
    has!(EccSchemeInfo: Eq);
    has!(EccSchemeInfo: PartialEq);
}

fn read_table_properties_keeps_its_shape() {
    let _: fn(&Path) -> Result<TableProperties> = read_table_properties;
}

fn index_entry_keeps_its_shape() {
    field!(IndexEntry::end_key: Vec<u8>);
    field!(IndexEntry::seqno: u64);
    field!(IndexEntry::offset: u64);
    field!(IndexEntry::size: u32);
    has!(IndexEntry: Clone);
    has!(IndexEntry: std::fmt::Debug);
}

fn read_top_level_index_entries_keeps_its_shape() {
    let _: fn(&Path) -> Result<Vec<IndexEntry>> = read_top_level_index_entries;
}

fn data_entry_keeps_its_shape() {
    field!(DataEntry::key: Vec<u8>);
    field!(DataEntry::value: Vec<u8>);
    field!(DataEntry::seqno: u64);
    field!(DataEntry::value_type: ValueType);
    let _: fn(&DataEntry) -> bool = DataEntry::is_tombstone;
    has!(DataEntry: Clone);
    has!(DataEntry: std::fmt::Debug);
}

fn data_block_entry_iter_keeps_its_shape() {
    let _: fn(DataBlockEntryIter) -> DataBlockEntryIter = DataBlockEntryIter::keys_only;
    has!(DataBlockEntryIter: Iterator);
}

fn iter_data_block_entries_keeps_its_shape() {
    let _: fn(&Path) -> Result<DataBlockEntryIter> = iter_data_block_entries;
}

fn filter_stats_keeps_its_shape() {
    field!(FilterStats::filter_section_bytes: u64);
    field!(FilterStats::layer_count: u64);
    field!(FilterStats::item_count: u64);
    field!(FilterStats::bits_per_key: f64);
    has!(FilterStats: Clone);
    has!(FilterStats: std::fmt::Debug);
}

fn read_filter_stats_keeps_its_shape() {
    let _: fn(&Path) -> Result<Option<FilterStats>> = read_filter_stats;
}

fn zstd_block_type_keeps_its_shape() {
    let _: ZstdBlockType = ZstdBlockType::Raw;
    let _: ZstdBlockType = ZstdBlockType::Rle;
    let _: ZstdBlockType = ZstdBlockType::Compressed;
    has!(ZstdBlockType: Clone);
    has!(ZstdBlockType: Copy);
    has!(ZstdBlockType: std::fmt::Debug);
    has!(ZstdBlockType: Eq);
    has!(ZstdBlockType: PartialEq);
}

fn inner_zstd_block_keeps_its_shape() {
    field!(InnerZstdBlock::index: u32);
    field!(InnerZstdBlock::block_type: ZstdBlockType);
    field!(InnerZstdBlock::last: bool);
    field!(InnerZstdBlock::header_offset: u64);
    field!(InnerZstdBlock::content_len: u32);
    field!(InnerZstdBlock::decompressed_len: Option<u32>);
    has!(InnerZstdBlock: Clone);
    has!(InnerZstdBlock: std::fmt::Debug);
}

fn zstd_frame_census_keeps_its_shape() {
    field!(ZstdFrameCensus::frame_header_len: u8);
    field!(ZstdFrameCensus::window_size: Option<u64>);
    field!(ZstdFrameCensus::dictionary_id: Option<u32>);
    field!(ZstdFrameCensus::frame_content_size: Option<u64>);
    field!(ZstdFrameCensus::content_checksum: bool);
    field!(ZstdFrameCensus::blocks: Vec<InnerZstdBlock>);
    has!(ZstdFrameCensus: Clone);
    has!(ZstdFrameCensus: std::fmt::Debug);
}

fn is_zstd_frame_keeps_its_shape() {
    let _: fn(&[u8]) -> bool = is_zstd_frame;
}

fn census_zstd_frame_keeps_its_shape() {
    let _: fn(&[u8]) -> Result<ZstdFrameCensus> = census_zstd_frame;
}
