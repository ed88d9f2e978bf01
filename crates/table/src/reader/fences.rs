//! Fences from the file: whole, or the root of one that has leaves.

use super::tail::{Tail, expect_kind};
use crate::{
    format::{BODY_AT, RegionEntry, kinds},
    index::{Fence, Leaf, Root},
    properties::Properties,
};
use sediment_base::{Error, Result};
use sediment_codec::{
    compress::Codec,
    seal::{FrameHeader, Region, Seal},
};
use sediment_env::File;
use std::ops::Range;

impl Tail {
    /// The whole fence of a table with these properties, put together where it is in leaves.
    pub(crate) fn fence(&self, file: &dyn File, properties: &Properties) -> Result<Fence> {
        if let Some((root, region)) = self.fence_root(properties)? {
            return self.fence_of_leaves(file, &root, &region, properties);
        }
        self.short_fence(properties)
    }

    /// The fence of a table with these properties that has no leaves.
    pub(super) fn short_fence(&self, properties: &Properties) -> Result<Fence> {
        if properties.rows == 0 && properties.range_tombstones > 0 {
            return Ok(Fence::default());
        }
        let region = self.footer.expect_region(Region::Fence)?;
        expect_kind(region, kinds::FENCE)?;
        let fence = Fence::decode(&self.content(region)?, self.data()?).and_then(|fence| numbered(fence, properties));
        fence.map_err(|error| error.at(region.offset))
    }

    /// The root of the fence of a table with these properties, and the region of its leaves; `None` if it has none.
    pub(super) fn fence_root(&self, properties: &Properties) -> Result<Option<(Root, RegionEntry)>> {
        let Some(region) = self.footer.region(Region::Fence).filter(|region| region.kind == kinds::ROOT) else {
            return Ok(None);
        };
        let leaves = self.footer.expect_region(Region::Leaves)?;
        expect_kind(leaves, kinds::FENCE)?;
        let (content, data) = (self.content(region)?, self.data()?);
        let root = Root::decode(&content, data, properties.blocks, leaves);
        let root = root.and_then(|root| root.numbered(properties.global_seqno)).map_err(|error| error.at(region.offset))?;
        Ok(Some((root, *leaves)))
    }

    /// Puts a fence together from the leaves in this region, which have this root.
    pub(super) fn fence_of_leaves(
        &self,
        file: &dyn File,
        root: &Root,
        region: &RegionEntry,
        properties: &Properties,
    ) -> Result<Fence> {
        let stretch = self.stretch_of(file, region)?;
        let leaves = (0..root.leaves()).map(|number| {
            let offset = region.offset + root.frame_of(number).start;
            let stored = leaf_frame(&self.seal(), root, region.offset, number, stretch.slice(offset))?;
            root.proven_leaf(number, stored).map_err(|error| error.at(offset))
        });
        let content = Leaf::join(&leaves.collect::<Result<Vec<_>>>()?).map_err(|error| error.at(region.offset))?;
        let fence = Fence::decode(&self.kept(&content), self.data()?).and_then(|fence| numbered(fence, properties));
        fence.map_err(|error| error.at(region.offset))
    }

    /// Where the data are.
    fn data(&self) -> Result<Range<u64>> {
        let data = self.footer.expect_region(Region::Data)?;
        if data.offset != BODY_AT {
            return Err(Error::corruption("the data does not come first").at(data.offset));
        }
        Ok(data.offset..data.end())
    }
}

/// Proves the frame of a leaf of the region that begins there.
pub(super) fn leaf_frame<'a>(seal: &Seal, root: &Root, region_at: u64, number: usize, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let frame = root.frame_of(number);
    let (offset, frame_bytes) = (region_at + frame.start, frame.end - frame.start);
    let (header, stored) = seal.verify(offset, bytes)?;
    let FrameHeader { region, kind, ordinal, codec, .. } = header;
    let found = (region, kind, ordinal as usize, codec, header.frame_bytes());
    if found != (Region::Leaves as u8, kinds::FENCE, number, Codec::None, frame_bytes) {
        return Err(Error::corruption("another block where a leaf of a fence should be").at(offset));
    }
    Ok(stored)
}

fn numbered(fence: Fence, properties: &Properties) -> Result<Fence> {
    if fence.blocks() as u64 != properties.blocks {
        return Err(Error::corruption("blocks in the fence").expected_found(properties.blocks, fence.blocks()));
    }
    fence.numbered(properties.global_seqno)
}
