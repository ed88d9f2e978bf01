//! What a reader holds: the memtables and the version of one moment.
//!
//! A [`SuperVersion`] is immutable but for its memtables, which grow until their flush begins. All readers find the current one behind one atomic
//! pointer; replacing it takes a short lock that nobody holds across I/O. Versions change under a second lock, which is held
//! while the manifest is written and synced: writers and readers never meet it.

mod change;
mod earlier;
mod filter_probes;
mod install;
mod obsolete;
mod pin;
mod toll;

pub(crate) use change::Change;
pub(crate) use earlier::Earlier;
pub(crate) use filter_probes::{FilterProbes, READS_PER_SAMPLE};
pub(crate) use install::{SuperVersions, TreeParts};
pub(crate) use obsolete::{Obsolete, Orphans};
pub(crate) use pin::{Sealed, SuperVersion};
