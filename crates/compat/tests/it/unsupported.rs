//! What is not there says so by its type.

use crate::common::{World, config};
use lsm_tree::{
    AbstractTree, Aes256GcmProvider, CompressionType, Config, EncryptionProvider, Error, KvSeparationOptions, Result,
    ZstdDictionary,
    config::{CompressionPolicy, LevelRoute, ManifestRecoveryMode},
    ecc,
    encryption::{
        self, DecryptError, StaticKeyChain,
        aad::{BlockIdentity, BlockType, EncryptionContext, SuiteId},
        aead,
    },
    fs::MemFs,
    inspect,
    runtime_config::{KvChecksumComputePoint, KvChecksumPolicy, LevelMask, TableIdRange},
    verify,
};
use std::{path::Path, sync::Arc};

fn is_unsupported<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::FeatureUnsupported(_)))
}

#[test]
fn configurations_that_ask_for_it_do_not_open() {
    let route = LevelRoute { levels: 0..1, path: "/r".into(), fs: Arc::new(MemFs::new()) };
    let changes: [&dyn Fn(Config) -> Config; 4] = [
        &|config| config.with_kv_separation(Some(KvSeparationOptions::default().separation_threshold(1))),
        &|config| config.with_encryption(Some(Arc::new(Aes256GcmProvider::new(&[1; 32])))),
        &|config| config.level_routes(vec![route.clone()]),
        &|config| config.manifest_recovery_mode(ManifestRecoveryMode::SkipAnyCorruptedRecords),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (config, _, _, folder) = config();
        assert!(is_unsupported(&change(config).open()), "{index}");
        assert_eq!(std::fs::read_dir(folder.path()).map(Iterator::count).ok(), Some(0), "nothing was made");
    }
}

#[test]
fn parity_has_an_error_of_its_own() {
    let (config, ..) = config();
    assert!(matches!(config.page_ecc(true).open(), Err(Error::PageEccUnsupported)));
}

#[test]
fn a_dictionary_that_is_missing_or_another_is_named() {
    let dictionary = Arc::new(ZstdDictionary::new(b"a dictionary"));
    let policy = CompressionPolicy::all(CompressionType::zstd_dict(3, 7).expect("in range"));
    let (config, ..) = config();
    let opened = config.data_block_compression_policy(policy.clone()).open();
    assert!(matches!(opened, Err(Error::ZstdDictMismatch { expected: 7, got: None })), "{opened:?}");
    let (config, ..) = crate::common::config();
    let opened = config.data_block_compression_policy(policy).zstd_dictionary(Some(Arc::clone(&dictionary))).open();
    assert!(matches!(opened, Err(Error::ZstdDictMismatch { expected: 7, got: Some(id) }) if id == dictionary.id()));
}

#[test]
fn a_tree_refuses_what_it_has_not() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let tree: lsm_tree::Tree = world.tree.clone().try_into().expect("standard");
    assert!(is_unsupported(&tree.create_checkpoint(&world.folder.path().join("copy"))));
    assert!(is_unsupported(&tree.flush_to_tables(std::iter::empty())));
    assert!(is_unsupported(&tree.register_tables(&[], None, None, &[], 0)));
    assert!(is_unsupported(&tree.tree_config().repair()));
    let before = tree.runtime_config();
    assert!(matches!(tree.update_runtime_config(|config| config.page_ecc = true), Err(Error::PageEccUnsupported)));
    assert!(is_unsupported(&tree.update_runtime_config(|config| config.auto_heal = true)));
    for some in [KvChecksumPolicy::PerLevel(LevelMask::none()), KvChecksumPolicy::PerTable(TableIdRange::new(1, 2))] {
        assert!(is_unsupported(&tree.update_runtime_config(|config| config.kv_checksums = some)));
    }
    assert!(is_unsupported(
        &tree.update_runtime_config(|config| config.kv_checksum_compute_point = KvChecksumComputePoint::AtInsert)
    ));
    assert_eq!(before, tree.runtime_config(), "an error changes nothing");
    Ok(())
}

#[test]
fn files_are_not_looked_into() {
    let path = Path::new("1");
    assert!(is_unsupported(&inspect::read_table_properties(path)));
    assert!(is_unsupported(&inspect::read_top_level_index_entries(path)));
    assert!(is_unsupported(&inspect::iter_data_block_entries(path)));
    assert!(is_unsupported(&inspect::read_filter_stats(path)));
    assert!(is_unsupported(&inspect::census_zstd_frame(&[0x28, 0xB5, 0x2F, 0xFD])));
    assert!(matches!(inspect::census_zstd_frame(b"x"), Err(Error::InvalidHeader(_))));
    assert!(inspect::EccSchemeInfo::Secded.parity_trailer_len(9) == 2);
    let report = verify::verify_sst_file(path);
    assert!(!report.is_ok() && report.errors[0].to_string().contains("FeatureUnsupported"));
}

#[test]
fn nothing_is_sealed_or_mended() {
    let provider = Aes256GcmProvider::new(&[1; 32]);
    assert!(is_unsupported(&provider.encrypt(b"a")) && is_unsupported(&provider.decrypt(b"a")));
    assert!(matches!(Aes256GcmProvider::from_slice(&[1; 31]), Err(Error::Encrypt(_))));
    assert!(Aes256GcmProvider::from_slice(&[1; 32]).is_ok() && !provider.supports_aad_block_path());
    let identity = BlockIdentity { table_id: 0x0102, block_type: BlockType::Index, dict_id: 3, window_log: 4 };
    let context = EncryptionContext::v1(5, SuiteId::ChaCha20Poly1305, 6, 7);
    assert!(matches!(provider.encrypt_block_aad(b"a", &identity, 0, 0), Err(Error::Encrypt(_))));
    let keys = StaticKeyChain::new().with_key(5, [1; 32]);
    assert!(keys.len() == 1 && !format!("{keys:?}").contains("1, 1, 1"));
    assert!(is_unsupported(&encryption::encrypt_block(b"a", &identity, &context, &keys)));
    let is_missing = |error: Option<DecryptError>| matches!(error, Some(DecryptError::FeatureUnsupported(_)));
    assert!(is_missing(encryption::decrypt_block(b"a", &identity, &keys).err()));
    assert!(is_missing(encryption::parse_encrypted_block_metadata(b"a").err()));
    assert!(is_missing(encryption::reconstruct_block_aad(b"a", 1).err()));
    let aad = encryption::aad::build(&context, &identity);
    assert_eq!(aad, [0x50, 0x2A, 0x4D, 0x18, 0x10, 5, 1, 3, 0, 0, 0, 0, 0, 0, 1, 2, 6, 0, 0, 0, 3, 4, 7]);
    assert!(is_unsupported(&aead::encrypt_in_place(SuiteId::Aes256Gcm, &[0; 32], &[0; 12], &aad, &mut [])));
    assert!(is_missing(aead::decrypt_in_place(SuiteId::Aes256Gcm, &[0; 32], &[0; 12], &aad, &[0; 16], &mut []).err()));
    assert!(is_unsupported(&ecc::encode_parity(b"a", 4, 2)));
    assert!(is_unsupported(&ecc::try_recover(b"a", b"b", 1, 4, 2, |_| true)));
    let unknown = BlockType::try_from(9);
    assert!(matches!(unknown, Err(Error::InvalidTag(("BlockType", 9)))) && SuiteId::try_from(9) == Err(9));
}
