//! Byte strings and small types (API 2, 3, 18, 19, 21, 22).

use lsm_tree::{
    CompressionType, Error, FormatVersion, InternalKey, InternalValue, PinnableSlice, Slice, TreeType, ValueType,
    ZstdDictionary, ecc,
    fs::AlignedBuf,
    hash::{hash64, hash128},
    heal_hints::HealHints,
    io,
    runtime_config::{
        ChecksumAlgorithm, EccDescriptor, EccGranularity, EccScheme, KvChecksumPolicy, LevelMask, RuntimeConfig, TableIdRange,
        ecc_descriptor_bytes, ecc_descriptor_from_bytes,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[test]
fn slices_come_from_everything_and_compare_with_everything() {
    let slices = [
        Slice::from("abc"),
        "abc".to_owned().into(),
        (&"abc".to_owned()).into(),
        b"abc".into(),
        (*b"abc").into(),
        b"abc".to_vec().into(),
        (&b"abc".to_vec()).into(),
        b"abc".as_slice().into(),
        Arc::<str>::from("abc").into(),
        Arc::<[u8]>::from(*b"abc").into(),
        Path::new("abc").into(),
        PathBuf::from("abc").into(),
        bytes::Bytes::from_static(b"abc").into(),
        b"abc".iter().copied().collect(),
        Slice::new(b"abc"),
        Slice::new(b"xabcx").slice(1..4),
        Slice::fused(b"a", b"bc"),
        Slice::from_reader(&mut &b"abcd"[..], 3).expect("enough"),
    ];
    for slice in &slices {
        assert!(*slice == "abc" && *slice == *b"abc" && *slice == b"abc" && *slice == b"abc".to_vec() && *slice == slices[0]);
        assert!(*slice < "abd" && *slice > *b"ab" && b"abc".as_slice() == *slice && b"ab".as_slice() < *slice);
        assert_eq!((slice.len(), slice.as_ref(), format!("{slice:?}")), (3, &b"abc"[..], "\"abc\"".to_owned()));
    }
    assert!(Slice::from_reader(&mut &b"ab"[..], 3).is_err() && Slice::empty().is_empty());
    assert_eq!(bytes::Bytes::from(Slice::from("abc")), "abc");
    let map: std::collections::BTreeMap<Slice, u8> = [(Slice::from("k"), 1)].into();
    assert_eq!(map.get(&b"k"[..]), Some(&1));
}

#[test]
fn kinds_and_versions_have_their_numbers() {
    for (number, kind) in
        [ValueType::Value, ValueType::Tombstone, ValueType::WeakTombstone, ValueType::MergeOperand, ValueType::Indirection]
            .into_iter()
            .enumerate()
    {
        assert_eq!((u8::from(kind) as usize, ValueType::try_from(number as u8)), (number, Ok(kind)));
        assert_eq!((kind.is_tombstone(), kind.is_merge_operand()), (number == 1 || number == 2, number == 3));
    }
    assert_eq!((ValueType::try_from(5), TreeType::try_from(1), TreeType::try_from(2)), (Err(()), Ok(TreeType::Blob), Err(())));
    assert_eq!(
        (u8::from(TreeType::Standard), FormatVersion::try_from(5), FormatVersion::try_from(6)),
        (0, Ok(FormatVersion::V5), Err(()))
    );
    assert_eq!((u8::from(FormatVersion::V2), FormatVersion::V3.to_string()), (2, "3".to_owned()));
}

#[test]
fn rows_are_ordered_by_key_and_then_newest_first() {
    let key = |key: &str, seqno| InternalKey::new(key, seqno, ValueType::Value);
    let mut keys = vec![key("b", 1), key("a", 1), key("a", 3)];
    keys.sort();
    assert_eq!(keys, [key("a", 3), key("a", 1), key("b", 1)]);
    let rows = [
        InternalValue::new_tombstone("a", 1),
        InternalValue::new_weak_tombstone("a", 1),
        InternalValue::new_merge_operand("a", "o", 1),
        InternalValue::new(key("a", 1), "v"),
    ];
    assert_eq!(rows.map(|row| row.is_tombstone()), [true, true, false, false]);
}

#[test]
fn pinned_values_say_so() {
    let pinned = PinnableSlice::pinned(lsm_tree::Block::default(), "v".into());
    assert!(pinned.is_pinned() && format!("{pinned:?}").contains("Pinned") && pinned == b"v".as_slice());
}

#[test]
fn compressions_check_their_levels() {
    assert!(CompressionType::zstd(0).is_err() && CompressionType::zstd_dict(23, 1).is_err());
    let (plain, dictionary) =
        (CompressionType::zstd(3).expect("in range"), CompressionType::zstd_dict(22, 9).expect("in range"));
    assert_eq!((plain, plain.dict_id(), dictionary.dict_id()), (CompressionType::Zstd(3), 0, 9));
    assert_eq!((CompressionType::None.to_string(), CompressionType::Lz4.to_string()), ("none".to_owned(), "lz4".to_owned()));
    assert!(plain.to_string().contains('3') && dictionary.to_string().contains("22"));
    let dictionary = ZstdDictionary::new(b"raw");
    assert_eq!((dictionary.raw(), dictionary.id()), (&b"raw"[..], hash64(b"raw") as u32));
}

#[test]
fn hashes_are_xxh3() {
    assert_eq!((hash64(b""), hash128(b"")), (0x2D06_8005_38D3_94C2, 0x99AA_06D3_0147_98D8_6001_C324_468D_497F));
}

#[test]
fn io_mirrors_the_standard_library() {
    let error = io::Error::from(std::io::Error::new(std::io::ErrorKind::NotFound, "gone"));
    assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::NotFound, "gone".to_owned()));
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    assert_eq!(io::Error::from(io::ErrorKind::Other).kind(), io::ErrorKind::Other);
    assert_eq!(std::io::SeekFrom::from(io::SeekFrom::End(-1)), std::io::SeekFrom::End(-1));
}

#[test]
fn settings_that_may_change_have_their_defaults_and_numbers() {
    let config = RuntimeConfig::default();
    assert!(
        config.manifest_footer_mirror
            && !config.page_ecc
            && !config.data_block_ecc()
            && !config.kv_checksums_ecc()
            && !config.manifest_ecc()
    );
    assert_eq!((config.index_partition_spill_threshold, config.kv_checksums), (4 << 20, KvChecksumPolicy::Off));
    for algorithm in [ChecksumAlgorithm::Xxh3_64, ChecksumAlgorithm::Xxh3Low32, ChecksumAlgorithm::Crc32c] {
        assert_eq!(ChecksumAlgorithm::from_wire_tag(algorithm.wire_tag()), Some(algorithm));
    }
    assert_eq!((ChecksumAlgorithm::from_wire_tag(3), ChecksumAlgorithm::Xxh3_64.digest_size()), (None, 8));
    assert_eq!(ChecksumAlgorithm::Xxh3Low32.compute(b"a"), Some(hash64(b"a") & 0xFFFF_FFFF));
    let levels = LevelMask::none().with_level(2).with_level(9);
    assert!(levels.contains(2) && !levels.contains(9) && levels == LevelMask::from_bits(4) && levels.bits() == 4);
    assert!(KvChecksumPolicy::PerLevel(levels).applies(2, 0) && !KvChecksumPolicy::PerLevel(levels).applies(3, 0));
    assert!(KvChecksumPolicy::PerTable(TableIdRange::new(3, 4)).applies(0, 4) && !TableIdRange::new(3, 4).contains(5));
}

#[test]
fn descriptors_of_parity_go_both_ways() {
    let scheme = EccScheme::ReedSolomon { data_shards: 4, parity_shards: 2 };
    for scheme in [EccScheme::Secded, EccScheme::Xor { data_shards: 8 }, scheme] {
        let bytes = ecc_descriptor_bytes(Some((scheme, EccGranularity::Block)));
        assert!(
            matches!(ecc_descriptor_from_bytes(&bytes), Ok(EccDescriptor::Recognized(found, EccGranularity::Block)) if found == scheme)
        );
    }
    assert!(matches!(ecc_descriptor_from_bytes(&ecc_descriptor_bytes(None)), Ok(EccDescriptor::Off)));
    assert!(matches!(ecc_descriptor_from_bytes(&[1, 1, 0, 0]), Ok(EccDescriptor::Unrecognized)));
    assert!(matches!(ecc_descriptor_from_bytes(&[0, 0, 0, 1]), Ok(EccDescriptor::Unrecognized)));
    assert!(matches!(ecc_descriptor_from_bytes(&[1]), Err(Error::InvalidTrailer)));
    assert_eq!((scheme.shard_params(), EccScheme::Secded.shard_params()), (Some((4, 2)), None));
    assert_eq!((ecc::shard_bytes(9, 4), ecc::parity_len(9, 4, 2)), (4, 8));
}

#[test]
fn hints_are_recorded_once_and_while_they_are_wanted() {
    let hints = HealHints::new_shared(false);
    assert!(!hints.record((1, 2).into()) && hints.is_empty() && !hints.is_enabled());
    hints.set_enabled(true);
    assert!(hints.record((1, 2).into()) && !hints.record((1, 2).into()));
    assert_eq!((hints.pop(), hints.pop()), (Some((1, 2).into()), None));
}

#[test]
fn slices_are_found_by_their_bytes() {
    let set: std::collections::HashSet<Slice> = ["abc".into(), "abc".into(), "b".into()].into();
    assert!(set.len() == 2 && set.contains(&b"abc"[..]) && !set.contains(&b"c"[..]));
    let mut sorted = [Slice::from("b"), "a".into(), "ab".into()];
    sorted.sort();
    assert_eq!(sorted, ["a", "ab", "b"]);
}

#[test]
fn rows_are_made_of_their_parts() {
    let row = InternalValue::from_components("k", "v", 7, ValueType::MergeOperand);
    assert_eq!((&*row.key.user_key, &*row.value, row.key.seqno), (&b"k"[..], &b"v"[..], 7));
    let made = [
        (row, ValueType::MergeOperand),
        (InternalValue::new_tombstone("k", 7), ValueType::Tombstone),
        (InternalValue::new_weak_tombstone("k", 7), ValueType::WeakTombstone),
        (InternalValue::new_merge_operand("k", "v", 7), ValueType::MergeOperand),
        (InternalValue::new(InternalKey::new("k", 7, ValueType::Value), "v"), ValueType::Value),
    ];
    assert!(made.iter().all(|(row, kind)| row.key.value_type == *kind && row.key.seqno == 7));
}

#[test]
fn keys_share_their_beginning() {
    let shared = lsm_tree::longest_shared_prefix_length;
    assert_eq!((shared(b"abc", b"abd"), shared(b"a", b"ab"), shared(b"", b"a")), (2, 1, 0));
}

#[test]
fn the_variable_of_zstd_goes_with_its_feature() {
    assert_eq!(cfg!(zstd_any), cfg!(feature = "zstd"));
}

/// Runs itself again, with the variable set.
#[test]
fn temporary_folders_lie_where_the_variable_says() {
    let folder = lsm_tree::get_tmp_folder();
    if let Some(parent) = std::env::var_os("LSMT_TMP_FOLDER") {
        assert_eq!(folder.path().parent(), Some(Path::new(&parent)));
        return;
    }
    let again = std::process::Command::new(std::env::current_exe().expect("known"))
        .args(["--exact", "types::temporary_folders_lie_where_the_variable_says"])
        .env("LSMT_TMP_FOLDER", folder.path())
        .output()
        .expect("run");
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn memory_is_aligned_and_counts_what_is_filled() {
    let mut buf = AlignedBuf::new_zeroed(100, 512).expect("memory");
    assert_eq!((buf.as_ptr().addr() % 512, buf.as_mut_ptr().addr() % 512), (0, 0));
    assert_eq!((buf.capacity(), buf.alignment(), buf.len(), buf.is_empty()), (100, 512, 0, true));
    buf.as_capacity_mut()[..3].copy_from_slice(b"abc");
    buf.set_len(4);
    assert_eq!((buf.as_slice(), buf.len()), (&b"abc\0"[..], 4));
    buf.clear();
    assert!(buf.is_empty() && AlignedBuf::new_zeroed(8, 3).is_none());
}
