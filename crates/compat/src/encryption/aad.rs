//! What a sealed block is bound to.

/// Bytes of what is bound.
pub const AAD_LEN: usize = 23;
/// How a sealed block begins.
pub const MAGIC_METADATA_LE: [u8; 4] = [0x50, 0x2A, 0x4D, 0x18];
/// The first format.
pub const FORMAT_VERSION_V1: u8 = 0b0001;
/// Its first byte.
pub const HEADER_BYTE_V1: u8 = 0x10;

/// Where a block belongs.
#[derive(Clone, Copy, Debug)]
pub struct BlockIdentity {
    /// Its table.
    pub table_id: u64,
    /// What it is.
    pub block_type: BlockType,
    /// Its dictionary.
    pub dict_id: u32,
    /// Its window.
    pub window_log: u8,
}

macro_rules! block_types {
    ($($(#[$doc:meta])* $name:ident = $tag:literal,)*) => {
        /// What a block is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum BlockType {
            $($(#[$doc])* $name = $tag,)*
        }

        impl TryFrom<u8> for BlockType {
            type Error = crate::error::Error;

            fn try_from(tag: u8) -> crate::error::Result<Self> {
                match tag {
                    $($tag => Ok(Self::$name),)*
                    _ => Err(crate::error::Error::InvalidTag(("BlockType", tag))),
                }
            }
        }
    };
}

block_types! {
    /// Rows.
    Data = 0,
    /// An index.
    Index = 1,
    /// A filter.
    Filter = 2,
    /// Facts about a table.
    Meta = 3,
    /// Range tombstones.
    RangeTombstone = 4,
    /// A manifest.
    Manifest = 5,
    /// The end of one.
    ManifestFooter = 6,
    /// A layout of blocks.
    BlockLayout = 7,
}

impl From<BlockType> for u8 {
    fn from(block_type: BlockType) -> Self {
        block_type as Self
    }
}

/// A cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SuiteId {
    /// AES-256-GCM.
    Aes256Gcm = 2,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305 = 3,
}

impl SuiteId {
    /// Bytes of a nonce.
    pub const fn nonce_len(self) -> usize {
        12
    }

    /// Its number.
    pub const fn as_byte(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for SuiteId {
    type Error = u8;

    fn try_from(tag: u8) -> Result<Self, u8> {
        match tag {
            2 => Ok(Self::Aes256Gcm),
            3 => Ok(Self::ChaCha20Poly1305),
            _ => Err(tag),
        }
    }
}

/// How a block is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncryptionContext {
    /// The format.
    pub header_byte: u8,
    /// Which key.
    pub key_epoch: u8,
    /// Which cipher.
    pub suite_id: SuiteId,
    /// How it was compressed before.
    pub compression_type: u8,
    /// What else it has.
    pub block_flags: u8,
}

impl EncryptionContext {
    /// One of the first format.
    pub const fn v1(key_epoch: u8, suite_id: SuiteId, compression_type: u8, block_flags: u8) -> Self {
        Self { header_byte: HEADER_BYTE_V1, key_epoch, suite_id, compression_type, block_flags }
    }
}

/// What is bound: magic, header, epoch, block type, suite, table, compression, dictionary, window, flags; numbers big-endian.
pub fn build(ctx: &EncryptionContext, identity: &BlockIdentity) -> [u8; AAD_LEN] {
    let mut aad = [0; AAD_LEN];
    aad[..4].copy_from_slice(&MAGIC_METADATA_LE);
    aad[4..8].copy_from_slice(&[ctx.header_byte, ctx.key_epoch, identity.block_type.into(), ctx.suite_id.as_byte()]);
    aad[8..16].copy_from_slice(&identity.table_id.swap_bytes().to_le_bytes());
    aad[16] = ctx.compression_type;
    aad[17..21].copy_from_slice(&identity.dict_id.swap_bytes().to_le_bytes());
    aad[21..].copy_from_slice(&[identity.window_log, ctx.block_flags]);
    aad
}
