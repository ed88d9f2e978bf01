use super::*;
use crate::instruments::Instruments;
use sediment_base::{ErrorKind, limits::LEVELS_MAX};
use sediment_codec::compress::ZstdLevel;

fn with(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

#[test]
fn defaults_are_valid_and_what_they_say() {
    let options = Options::default();
    options.validate().unwrap();
    let (mib, shape) = (1 << 20, options.shape(&KeyspaceOptions::default()));
    let expected = Shape {
        goal: Goal::Balanced,
        memtable_bytes: 64 * mib,
        block_bytes: 4096,
        compression: Compression::None,
        level0_compression: Compression::None,
        dictionary_bytes: 0,
        filter: FilterKind::SplitBlock,
        filter_bits_per_key: 10,
        filter_widths: FilterWidths::ByLevel,
        locators: false,
        filter_residency: Residency::ByBudget,
        fence_residency: Residency::ByBudget,
        entry_checksums: false,
        table_bytes: 64 << 20,
        level0_trigger: 6,
        level_ratio: 10,
        level_base_bytes: 384 << 20,
    };
    assert_eq!(shape, expected);
    assert_eq!(options.cache_bytes(), 128 << 20);
    let tree = Settings::new(options, Components::default(), &Instruments::for_tests())
        .unwrap()
        .tree_options(&KeyspaceOptions::default())
        .unwrap();
    tree.validate().unwrap();
    assert_eq!((tree.block_bytes, tree.filter_bits_per_key, tree.table_bytes), (4096, 10, 64 << 20));
    assert_eq!((tree.level0_trigger, tree.level_ratio, tree.level_base_bytes), (6, 10, 384 << 20));
}

#[test]
fn each_goal_shapes_trees_as_it_is_documented() {
    let shape = |goal| with(|options| options.goal = goal).shape(&KeyspaceOptions::default());
    let numbers = |goal| {
        let shape = shape(goal);
        (shape.level_ratio, shape.level0_trigger, shape.filter_bits_per_key, shape.block_bytes, shape.memtable_bytes >> 20)
    };
    assert_eq!(numbers(Goal::Balanced), (10, 6, 10, 4096, 64));
    assert_eq!(numbers(Goal::Write), (5, 8, 12, 4096, 96));
    assert_eq!(numbers(Goal::Space), (16, 2, 8, 16384, 64));
    let sizes = |goal| (shape(goal).level_base_bytes >> 20, shape(goal).table_bytes >> 20);
    assert_eq!(sizes(Goal::Write), (768, 64));
    assert_eq!(sizes(Goal::Space), (128, 32));
    for goal in [Goal::Balanced, Goal::Write, Goal::Space] {
        let cell = |name: &str| {
            let line = include_str!("goal.rs").lines().find(|line| line.contains(&format!("/// | `{name}`"))).unwrap();
            let column = match goal {
                Goal::Balanced => 2,
                Goal::Write => 3,
                Goal::Space => 4,
            };
            line.split('|').nth(column).unwrap().trim()
        };
        let row = |name: &str| cell(name).parse::<u64>().unwrap();
        let compression = |compression| match compression {
            Compression::None => "none".into(),
            Compression::Lz4 => "LZ4".into(),
            Compression::Zstd(level) => format!("zstd, level {}", level.get()),
            Compression::Other(id) => format!("{id}"),
        };
        let shape = shape(goal);
        assert_eq!(row("level_ratio"), shape.level_ratio);
        assert_eq!(row("level0_trigger"), shape.level0_trigger as u64);
        assert_eq!(row("filter_bits_per_key"), u64::from(shape.filter_bits_per_key));
        let filter = match shape.filter {
            FilterKind::SplitBlock => "Bloom",
            FilterKind::Burr => "BuRR",
        };
        assert_eq!(cell("filter"), filter);
        let widths = match shape.filter_widths {
            FilterWidths::Uniform => "uniform",
            FilterWidths::ByLevel => "by level",
        };
        assert_eq!(cell("filter_widths"), widths);
        assert_eq!(row("block_bytes"), shape.block_bytes as u64);
        assert_eq!(
            (cell("compression"), cell("level0_compression")),
            (&*compression(shape.compression), &*compression(shape.level0_compression))
        );
        assert_eq!(row("dictionary_bytes"), u64::from(shape.dictionary_bytes));
    }
}

#[test]
fn memory_is_divided_by_the_goal_and_memtables_leave_the_cache_a_quarter() {
    for goal in [Goal::Balanced, Goal::Write, Goal::Space] {
        for shift in 14..40 {
            let options = with(|options| (options.memory_bytes, options.goal) = (1 << shift, goal));
            options.validate().unwrap();
            let (memtable, cache) = (options.memtable_share() as u64, options.cache_bytes());
            let memtables = options.memtables_bytes() as u64;
            assert!(memtables >= 2 * memtable && memtables <= 3 << (shift - 2), "{goal:?} {shift}");
            assert!(memtables + cache <= 1 << shift || memtables <= 3 * memtable, "{goal:?} {shift}: for a third");
            assert!(cache >= 1 << (shift - 2) && cache <= 3 << (shift - 2), "{goal:?} {shift}");
        }
    }
    let default = Options::default();
    assert_eq!((default.memtable_share(), default.memtables_bytes(), default.cache_bytes()), (64 << 20, 192 << 20, 128 << 20));
    let large = with(|options| options.memory_bytes = 8 << 30);
    assert_eq!((large.memtable_share(), large.memtables_bytes(), large.cache_bytes()), (64 << 20, 2 << 30, 6 << 30));
    let full = with(|options| options.expert.memtable_bytes = Some(1 << 30));
    assert_eq!(full.cache_bytes(), 64 << 20, "an expert's memtable leaves the cache its quarter");
    assert_eq!(full.memtables_bytes(), 2 << 30, "and takes what it was given");
}

#[test]
fn what_is_near_wins_and_a_number_wins_over_a_goal() {
    let options = with(|options| {
        options.goal = Goal::Write;
        options.expert.block_bytes = Some(1024);
        options.expert.level_ratio = Some(7);
    });
    let own = KeyspaceOptions {
        goal: Some(Goal::Space),
        level_ratio: Some(3),
        level0_trigger: Some(5),
        ..KeyspaceOptions::default()
    };
    let shape = options.shape(&own);
    assert_eq!((shape.level_ratio, shape.level0_trigger), (3, 5), "its own numbers");
    assert_eq!(shape.block_bytes, 1024, "a number of the database, rather than a goal");
    assert_eq!(shape.filter_bits_per_key, 8, "its own goal, rather than the database's");
    assert_eq!(shape.memtable_bytes, 96 << 20, "memory is the database's to divide");
    assert_eq!(shape.level_base_bytes, 5 * (96 << 20), "what follows from others follows from what holds");
    assert_eq!(options.shape(&KeyspaceOptions::default()).level_ratio, 7);
}

#[test]
fn where_filters_and_fences_are_is_said_apart_and_of_all_levels_at_once() {
    let tree = |expert: ExpertOptions, own: &KeyspaceOptions| {
        let options = with(|options| options.expert = expert);
        let settings = Settings::new(options, Components::default(), &Instruments::for_tests()).unwrap();
        let tree = settings.tree_options(own).unwrap();
        [tree.filter_residency, tree.fence_residency]
    };
    let resident = [sediment_table::Residency::Resident; LEVELS_MAX];
    let paged = [sediment_table::Residency::Paged; LEVELS_MAX];
    let mut by_budget = [sediment_table::Residency::ByBudget; LEVELS_MAX];
    by_budget[..2].copy_from_slice(&resident[..2]);
    let expert = ExpertOptions { fence_residency: Some(Residency::Paged), ..ExpertOptions::default() };
    let own = |fence_residency| KeyspaceOptions { fence_residency, ..KeyspaceOptions::default() };
    assert_eq!(tree(ExpertOptions::default(), &own(None)), [by_budget, by_budget]);
    assert_eq!(tree(expert.clone(), &own(None)), [by_budget, paged]);
    assert_eq!(tree(expert.clone(), &own(Some(Residency::Resident))), [by_budget, resident]);
    assert_eq!(tree(expert, &own(Some(Residency::ByBudget))), [by_budget, by_budget]);
    let filters = KeyspaceOptions { filter_residency: Some(Residency::Paged), ..KeyspaceOptions::default() };
    assert_eq!(tree(ExpertOptions::default(), &filters), [paged, by_budget]);
}

#[test]
fn each_bad_value_is_refused_by_name_with_range_and_advice() {
    type Case = (fn(&mut Options), &'static str, &'static str);
    let cases: [Case; 25] = [
        (|o| o.memory_bytes = 1000, "memory_bytes is 1000", "16384 to"),
        (|o| o.expert.background_threads = Some(257), "expert.background_threads is 257", "0 to 256 threads"),
        (|o| o.expert.compaction_portions_max = Some(0), "expert.compaction_portions_max is 0", "1 to 256 portions"),
        (|o| o.expert.cold_input_bytes = Some(0), "expert.cold_input_bytes is 0", "1 to"),
        (|o| o.expert.wal_file_bytes = 1023, "expert.wal_file_bytes is 1023", "1024 to 1073741824 bytes"),
        (|o| o.expert.wal_file_bytes = 1 << 31, "expert.wal_file_bytes", "1024 to 1073741824 bytes"),
        (|o| o.expert.wal_bytes_max = Some(1 << 20), "expert.wal_bytes_max is 1048576", "67108864 to"),
        (|o| o.expert.wal_bytes_max = Some(u64::MAX), "expert.wal_bytes_max", "1099511627776 bytes"),
        (|o| o.expert.reserve_bytes = 2 << 30, "expert.reserve_bytes is 2147483648", "0 to 1073741824 bytes"),
        (
            |o| o.expert.compaction_bytes_per_s = Some(1),
            "expert.compaction_bytes_per_s is 1",
            "65536 to 1099511627776 bytes a second",
        ),
        (|o| o.expert.stats_file_interval_us = 999, "expert.stats_file_interval_us is 999", "1000 to 86400000000 micro"),
        (|o| o.expert.stats_file_interval_us = u64::MAX, "expert.stats_file_interval_us", "86400000000"),
        (|o| o.expert.memtable_bytes = Some(4095), "expert.memtable_bytes is 4095", "4096 to 4294967296 bytes"),
        (|o| o.expert.memtable_bytes = Some(usize::MAX), "expert.memtable_bytes", "4096 to"),
        (|o| o.expert.block_bytes = Some(255), "expert.block_bytes is 255", "256 to 65536 bytes"),
        (|o| o.expert.block_bytes = Some(65_537), "expert.block_bytes is 65537", "256 to 65536 bytes"),
        (|o| o.expert.filter_bits_per_key = Some(33), "expert.filter_bits_per_key is 33", "0 to 32 bits"),
        (|o| o.expert.table_bytes = Some(0), "expert.table_bytes is 0", "1024 to 4294967296 bytes"),
        (|o| o.expert.table_bytes = Some(u64::MAX), "expert.table_bytes", "1024 to"),
        (|o| o.expert.level0_trigger = Some(0), "expert.level0_trigger is 0", "1 to 1000 runs"),
        (|o| o.expert.level0_trigger = Some(1001), "expert.level0_trigger is 1001", "1 to 1000 runs"),
        (|o| o.expert.level_ratio = Some(1), "expert.level_ratio is 1,", "2 to 100 times"),
        (|o| o.expert.level_ratio = Some(101), "expert.level_ratio is 101", "2 to 100 times"),
        (|o| o.expert.level_base_bytes = Some(1023), "expert.level_base_bytes is 1023", "1024 to 17592186044416 bytes"),
        (|o| (o.create, o.read_only) = (Create::New, true), "create is New", "read_only"),
    ];
    for (change, name, range) in cases {
        let error = with(change).validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(range) && text.contains(": "), "{text}");
    }
}

#[test]
fn the_ends_of_every_range_are_allowed() {
    let lowest = with(|options| {
        options.memory_bytes = 16 << 10;
        options.expert = ExpertOptions {
            background_threads: Some(0),
            compaction_portions_max: Some(1),
            cold_input_bytes: Some(1),
            wal_file_bytes: 1024,
            wal_bytes_max: Some(1024),
            reserve_bytes: 0,
            stats_file_interval_us: 0,
            compaction_bytes_per_s: Some(64 << 10),
            memtable_bytes: Some(4096),
            block_bytes: Some(256),
            compression: Some(Compression::None),
            level0_compression: Some(Compression::None),
            dictionary_bytes: Some(0),
            filter: Some(FilterKind::SplitBlock),
            filter_bits_per_key: Some(0),
            filter_widths: Some(FilterWidths::Uniform),
            locators: Some(false),
            filter_residency: Some(Residency::ByBudget),
            fence_residency: Some(Residency::ByBudget),
            entry_checksums: Some(false),
            table_bytes: Some(1024),
            level0_trigger: Some(1),
            level_ratio: Some(2),
            level_base_bytes: Some(1024),
        };
    });
    let highest = with(|options| {
        options.memory_bytes = 1 << 50;
        options.expert = ExpertOptions {
            background_threads: Some(256),
            compaction_portions_max: Some(256),
            cold_input_bytes: Some(u64::MAX),
            wal_file_bytes: 1 << 30,
            wal_bytes_max: Some(1 << 40),
            reserve_bytes: 1 << 30,
            stats_file_interval_us: 86_400_000_000,
            compaction_bytes_per_s: Some(1 << 40),
            memtable_bytes: Some(4 << 30),
            block_bytes: Some(64 << 10),
            compression: Some(Compression::Lz4),
            level0_compression: Some(Compression::Zstd(ZstdLevel::new(22).unwrap())),
            dictionary_bytes: Some(1 << 20),
            filter: Some(FilterKind::Burr),
            filter_bits_per_key: Some(32),
            filter_widths: Some(FilterWidths::ByLevel),
            locators: Some(true),
            filter_residency: Some(Residency::Paged),
            fence_residency: Some(Residency::Paged),
            entry_checksums: Some(true),
            table_bytes: Some(4 << 30),
            level0_trigger: Some(1000),
            level_ratio: Some(100),
            level_base_bytes: Some(16 << 40),
        };
    });
    for options in [lowest, highest] {
        options.validate().unwrap();
        Settings::new(options, Components::default(), &Instruments::for_tests())
            .unwrap()
            .tree_options(&KeyspaceOptions::default())
            .unwrap()
            .validate()
            .unwrap();
    }
}

#[test]
fn compactions_have_all_cores_while_writers_rest_unless_a_number_is_given() {
    let threads = |given, cores| {
        let expert = ExpertOptions { background_threads: given, ..ExpertOptions::default() };
        let CompactionThreads { always, at_rest } = Options { expert, ..Options::default() }.compaction_threads(cores);
        (always, at_rest)
    };
    assert_eq!([1, 2, 3, 8].map(|cores| threads(None, cores)), [(1, 1), (1, 2), (1, 3), (4, 8)]);
    assert_eq!([0, 1, 5].map(|given| threads(Some(given), 2)), [(0, 0), (1, 1), (5, 5)]);
}
