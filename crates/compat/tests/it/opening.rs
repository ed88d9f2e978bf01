//! Opening, and what lies in the directory (API 12, 25, 32).

use crate::common::{World, config, io_kind};
use lsm_tree::{AbstractTree, Config, Error, Result, SeqNo};

#[test]
fn a_tree_comes_back_as_it_was_from_elsewhere_as_well() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let World { tree, folder, .. } = world;
    drop(tree);
    let elsewhere = folder.path().with_extension("moved");
    std::fs::rename(folder.path(), &elsewhere)?;
    let tree = Config::new(&elsewhere, Default::default(), Default::default()).open()?;
    assert_eq!(tree.get("a", SeqNo::MAX)?.as_deref(), Some(&b"a"[..]));
    drop(tree);
    std::fs::rename(elsewhere, folder.path())?;
    Ok(())
}

/// Otherwise than in the family: one handle at a time.
#[test]
fn a_directory_that_is_open_is_not_opened_again() -> Result<()> {
    let world = World::new()?;
    let again = || Config::new(&world.folder, Default::default(), Default::default()).open();
    assert_eq!(io_kind(again()), Some(std::io::ErrorKind::WouldBlock));
    let clone = world.tree.clone();
    drop(world.tree);
    assert_eq!(io_kind(again()), Some(std::io::ErrorKind::WouldBlock));
    drop(clone);
    again()?;
    Ok(())
}

#[test]
fn directories_of_the_family_are_refused() -> Result<()> {
    for (name, version) in [("version", 1), ("current", 5)] {
        let (config, _, _, folder) = config();
        std::fs::write(folder.path().join(name), b"x")?;
        let opened = config.open();
        assert!(matches!(opened, Err(Error::InvalidVersion(found)) if found == version), "{opened:?}");
    }
    Ok(())
}

/// Otherwise than in the family: nothing is deleted.
#[test]
fn files_that_nothing_names_are_set_aside() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let World { tree, folder, .. } = world;
    drop(tree);
    let stray = folder.path().join("tables").join("900");
    std::fs::write(&stray, b"what is it?")?;
    let tree = Config::new(&folder, Default::default(), Default::default()).open()?;
    assert!(stray.exists(), "opening writes nothing");
    tree.insert("b", "b", 100);
    tree.flush_active_memtable(0)?;
    assert!(!stray.exists() && tree.next_table_id() > 900);
    assert_eq!(std::fs::read(folder.path().join("lost").join("table-900"))?, b"what is it?");
    Ok(())
}

#[test]
fn names_on_disk_are_those_of_a_tree() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let mut names: Vec<_> = std::fs::read_dir(world.folder.path())?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    assert_eq!(names, ["CURRENT", "LOCK", "manifest-1", "tables"]);
    assert!(world.folder.path().join("tables").join("1").exists());
    Ok(())
}

/// Otherwise than in the family, which keeps the number with its tree.
#[test]
fn the_number_of_levels_is_that_of_the_configuration() -> Result<()> {
    let three = |mut config: Config| {
        config.level_count = 3;
        config
    };
    let world = World::with(three)?;
    world.put("a", "a");
    world.flush();
    world.major(0);
    assert_eq!(world.levels(), [0, 0, 1]);
    let world = world.reopened(|config| config)?;
    assert_eq!((world.levels(), world.tree.tree_config().level_count), (vec![0, 0, 1, 0, 0, 0, 0], 7));
    for count in [0, 8] {
        let opened = World::with(|mut config| {
            config.level_count = count;
            config
        });
        assert_eq!(io_kind(opened.map(drop)), Some(std::io::ErrorKind::InvalidInput));
    }
    Ok(())
}

#[test]
fn tables_below_the_levels_of_the_configuration_are_there() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.major(0);
    let world = world.reopened(|mut config| {
        config.level_count = 3;
        config
    })?;
    world.put("b", "b");
    world.flush();
    assert_eq!((world.keys(), world.levels()), (vec!["a".to_owned(), "b".to_owned()], vec![1, 0, 0]));
    world.major(0);
    assert_eq!((world.keys(), world.tree.table_count()), (vec!["a".to_owned(), "b".to_owned()], 1));
    Ok(())
}
