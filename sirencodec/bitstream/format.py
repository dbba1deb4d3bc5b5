"""The byte format as constants; FORMAT.md says what each one means and why.

Nothing here computes: a search for a name finds the specification, this line, and its uses.
"""

MAGIC = b"\x89SRN"  # high bit set: a 7-bit or text-mode transfer breaks it at once
VERSION = 1  # that is written
OLD_VERSION = 0  # that is read as well

# Flags byte.
CHANNELS_MASK = 0b0000_0011  # channels - 1
SIXTEEN_BIT_FLAG = 0b0000_0100
METADATA_FLAG = 0b0000_1000
PYRAMID_FLAG = 0b0001_0000
EXTENSIONS_FLAG = 0b0010_0000  # not in version 0
RESERVED_FLAGS = 0b1100_0000  # must be zero; in version 0, EXTENSIONS_FLAG as well

# Ranges of the header's varints, smallest and largest.
SIDE_RANGE = (1, 65_535)
HIDDEN_FEATURES_RANGE = (1, 1_024)
HIDDEN_LAYERS_RANGE = (0, 64)
OMEGA_0_RANGE = (1, 65_535)
EXPONENTS = 8  # the base in which the header writes the exponents of two grids
LARGEST_EXPONENT = 6  # the coarsest grid has a sample every 64 pixels
GRIDS_RANGE = (0, 54)  # finest exponent + 8 * coarsest
PRIOR_RANGE = (1, 127)
TILES = 16  # the base in which the header writes how latents are cut
SMALLEST_LOG_TILE = 6  # log2 of the smallest tile's side; finer ones would cost more than they help
LARGEST_LOG_TILE = 16  # one tile holds any grid
TILING_RANGE = (0, 122)  # log2 of the side - 6, + 16 * the finest grid that shares a segment
EXTENSION_BYTES_RANGE = (1, 2**28 - 1)
EXTENSION_TAG_RANGE = (0, 2**28 - 1)
EXTENSION_LENGTH_RANGE = (0, 2**28 - 1)
MATRICES_BYTES_RANGE = (1, 2**28 - 1)
SEGMENT_BYTES_RANGE = (0, 2**28 - 1)  # one more than the segment has; 0 says that it is all zeros
PAYLOAD_BYTES_RANGE = (1, 2**28 - 1)  # of version 0
METADATA_BYTES_RANGE = (1, 2**28 - 1)

# Quantised weights are within this of zero: what the widest model of levels can code.
LARGEST_LEVEL = 12_288

MAX_VARINT_BYTES = 4  # 28 bits are enough for every field
PRIOR_CHECKSUM_BYTES = 2  # low bytes of the shipped prior's CRC-32, little-endian
CHECKSUM_BYTES = 4  # CRC-32 (zlib's), little-endian
SEGMENT_CHECKSUM_BYTES = 2  # CRC-16, little-endian
SEGMENT_CHECKSUM_START = 0xFFFF  # CRC-16 of no bytes: its polynomial is that of X.25, 0x1021
