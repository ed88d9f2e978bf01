//! `tidy`: the rules of the house that the compiler does not keep.

mod doc_lock;
mod layers;
mod reach;
mod rooms;
mod text;

use crate::source::Tree;
use std::{io, path::Path};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Rust files read.
    pub(crate) files: usize,
    /// What must change.
    pub(crate) errors: Vec<String>,
    /// What should.
    pub(crate) warnings: Vec<String>,
}

impl Report {
    fn error(&mut self, text: impl Into<String>) {
        self.errors.push(text.into());
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

/// Runs every check over the repository.
pub(crate) fn check(root: &Path) -> Report {
    let mut report = Report::default();
    let tree = match Tree::load(root) {
        Ok(tree) => tree,
        Err(error) => {
            report.error(format!("cannot read the source tree: {error}"));
            return report;
        }
    };
    report.files = tree.sources.len();
    match layers::Layers::load(root) {
        Ok(layers) => {
            layers::check(&tree, &layers, &mut report);
            rooms::check(root, &tree, &layers, &mut report);
        }
        Err(error) => report.error(format!("xtask/layers.toml: {error}")),
    }
    text::check(&tree, &mut report);
    reach::check(&tree, &mut report);
    doc_lock::check(root, &tree, &mut report);
    report
}

/// Accepts the documents as they stand.
pub(crate) fn bless(root: &Path) -> io::Result<()> {
    doc_lock::bless(root, &Tree::load(root)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_source_tree_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
        let report = super::check(root);
        assert!(report.files > 20, "only {} files seen", report.files);
        assert!(report.errors.is_empty(), "`cargo xtask tidy` finds:\n{}", report.errors.join("\n"));
    }
}
