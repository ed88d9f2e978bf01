//! What data blocks are compressed with, which dictionary a table gets, and who can read it.

use crate::rows::{Row, context, path, write};
use sediment_base::{ErrorKind, KeyOrder, TableId};
use sediment_codec::{
    compress::{Codec, Dictionary, Method, ZstdLevel},
    hash::key_hash,
    seal::{Region, Seal},
};
use sediment_table::{
    DictionaryOptions, Table, TableContext, TableMeta, TableOptions, TableWriter, check::check_table, dump::dump_table,
};
use sediment_testkit::back_references::BackReferences;
use std::{collections::BTreeSet, sync::Arc};

const SEED: u64 = 3;

fn zstd() -> Method {
    Method::Zstd(ZstdLevel::FASTEST)
}

fn options(codec: Method, dictionary: DictionaryOptions) -> TableOptions {
    TableOptions { codec, dictionary, hash_seed: SEED, block_bytes: 1024, ..TableOptions::default() }
}

fn trained(bytes_max: usize) -> DictionaryOptions {
    DictionaryOptions { bytes_max, known: None, table_bytes: 8 << 20 }
}

/// Rows as programs store them: names that are the same in all, and what differs.
fn rows(count: u64) -> Vec<Row> {
    let row = |i: u64| {
        let token = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let value = format!(
            "{{\"number\":{i},\"token\":\"{token:016x}\",\"state\":\"pending\",\"attempts\":{},\"owner\":null}}",
            i % 7
        );
        Row::new(format!("job:{i:08}"), 9, value)
    };
    (0..count).map(row).collect()
}

/// How frames of the data say that they hold a block of many rows in the dense form.
const DENSE: u8 = 4;

/// Every codec in the data, whether with a dictionary, and how long the one among the regions is. What is compressed is dense, and nothing
/// else.
fn stored(context: &TableContext, meta: &TableMeta) -> (BTreeSet<(u8, bool)>, u64) {
    let mut bytes = vec![0; meta.file_bytes as usize];
    context.fs.open(&path()).unwrap().read_exact_at(0, &mut bytes).unwrap();
    let (mut codecs, mut dictionary, mut at) = (BTreeSet::new(), 0, 128);
    while at < bytes.len() - 128 {
        let header = Seal::peek(&bytes[at..]).unwrap();
        if header.region == Region::Data as u8 {
            codecs.insert((header.codec.tag(), header.dictionary != 0));
            let is_large = header.kind == 2 || header.kind == 3;
            assert!(is_large || (header.kind == DENSE) == (header.codec != Codec::None), "{header:?}");
        } else if header.region == Region::Dictionary as u8 {
            dictionary += u64::from(header.plain_len);
        }
        at += header.frame_bytes() as usize;
    }
    (codecs, dictionary)
}

fn assert_reads(context: &TableContext, meta: &TableMeta, rows: &[Row]) {
    let table = Table::open(context, &path(), meta).unwrap();
    for row in rows {
        let found = table.get(&row.key, key_hash(SEED, &row.key), u64::MAX >> 1).unwrap().unwrap();
        assert_eq!(&*found.value, &*row.value);
    }
    let report = check_table(context, &path(), Some(meta)).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

#[test]
fn a_dictionary_is_trained_stored_with_the_table_and_saves_more_than_it_takes() {
    let order = KeyOrder::bytewise();
    let rows = rows(6000);
    let (alone, with) = (context(&order, 0), context(&order, 0));
    let without = write(&alone, &options(zstd(), DictionaryOptions::default()), &rows);
    let meta = write(&with, &options(zstd(), trained(4096)), &rows);
    assert_eq!(stored(&alone, &without), (BTreeSet::from([(Codec::Zstd.tag(), false)]), 0));
    let (codecs, dictionary_bytes) = stored(&with, &meta);
    assert_eq!(codecs, BTreeSet::from([(Codec::Zstd.tag(), true)]), "those that waited for it, too");
    assert!((256..=4096).contains(&dictionary_bytes));
    assert!(meta.file_bytes * 10 < without.file_bytes * 9, "{} of {}", meta.file_bytes, without.file_bytes);
    assert_reads(&with, &meta, &rows);
    // It is in the file, so the file alone is enough.
    let table = Table::open_alone(&with, &path()).unwrap();
    assert!(table.memory_bytes() as u64 > dictionary_bytes);
    let mut text = String::new();
    dump_table(&with, &path(), &mut text).unwrap();
    assert!(text.contains("region Dictionary") && text.contains("job:00005999"), "{}", text.len());
}

#[test]
fn the_same_rows_make_the_same_file() {
    let files = [0, 1].map(|_| {
        let context = context(&KeyOrder::bytewise(), 0);
        let meta = write(&context, &options(zstd(), trained(4096)), &rows(3000));
        (meta.root, meta.file_bytes)
    });
    assert_eq!(files[0], files[1]);
}

#[test]
fn a_dictionary_that_does_not_pay_is_left_out() {
    let noise = |i: u64| -> Vec<u8> {
        let word =
            |n: u64| (i * 64 + n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (0..16).flat_map(|n| word(n).to_le_bytes()).collect()
    };
    let random: Vec<_> = (0..3000).map(|i| Row::new(format!("{i:08}"), 9, noise(i))).collect();
    for (rows, codec) in [(random, 0), (rows(20), Codec::Zstd.tag())] {
        let context = context(&KeyOrder::bytewise(), 0);
        let meta = write(&context, &options(zstd(), trained(4096)), &rows);
        assert_eq!(stored(&context, &meta), (BTreeSet::from([(codec, false)]), 0), "{} rows", rows.len());
        assert_reads(&context, &meta, &rows);
    }
    let context = context(&KeyOrder::bytewise(), 0);
    let meta = write(&context, &options(Method::Lz4, trained(4096)), &rows(3000));
    assert_eq!(stored(&context, &meta).1, 0, "LZ4 has none");
}

#[test]
fn one_that_is_known_is_tried_first_and_another_trained_where_it_does_not_pay() {
    let order = KeyOrder::bytewise();
    let mut writer = TableWriter::create(&context(&order, 0), &options(zstd(), trained(4096)), path(), TableId(1)).unwrap();
    let rows = rows(6000);
    for row in &rows {
        writer.add(row.internal(), sediment_base::RowFlags::NONE, &row.value).unwrap();
    }
    let good = Arc::clone(writer.dictionary().unwrap());
    let useless = Arc::new(Dictionary::new(&[0xFE; 20_000]).unwrap());
    for (known, bytes_max, is_taken, has_any) in
        [(&good, 0, true, true), (&good, 4096, true, true), (&useless, 0, false, false), (&useless, 4096, false, true)]
    {
        let context = context(&order, 0);
        let dictionary = DictionaryOptions { known: Some(Arc::clone(known)), bytes_max, table_bytes: 8 << 20 };
        let meta = write(&context, &options(zstd(), dictionary), &rows);
        let (_, bytes) = stored(&context, &meta);
        assert_eq!((bytes == known.bytes().len() as u64, bytes > 0), (is_taken, has_any), "{known:?} {bytes_max}");
        assert_reads(&context, &meta, &rows);
    }
}

#[test]
fn large_rows_are_compressed_beside_small_ones() {
    let mut all = rows(4000);
    all.insert(50, Row::new("job:00000049x", 9, b"said again ".repeat(20_000)));
    for codec in [Method::Lz4, zstd()] {
        let context = context(&KeyOrder::bytewise(), 0);
        let meta = write(&context, &options(codec, trained(4096)), &all);
        assert!(meta.file_bytes < 400_000, "{}", meta.file_bytes);
        assert_reads(&context, &meta, &all);
    }
}

#[test]
fn a_codec_of_others_is_asked_for_by_name() {
    let (order, rows) = (KeyOrder::bytewise(), rows(500));
    let bare = context(&order, 0);
    let with = TableContext { codecs: Arc::new([Arc::new(BackReferences)]), ..bare.clone() };
    let meta = write(&with, &options(Method::Other(Arc::new(BackReferences)), trained(4096)), &rows);
    assert_eq!(stored(&with, &meta), (BTreeSet::from([(200, false)]), 0));
    assert_reads(&with, &meta, &rows);
    let error = Table::open(&bare, &path(), &meta).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("back references"), "{error}");
    let mut text = String::new();
    dump_table(&bare, &path(), &mut text).unwrap();
    assert!(text.contains("its rows cannot be read") && !text.contains("job:00000007@"), "{text}");
}
