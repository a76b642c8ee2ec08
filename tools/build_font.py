"""Build the font of papers: Noto Sans CJK SC Regular, cut to what GBK can write.

Run with the path of NotoSansCJK-Regular.ttc (Debian: fonts-noto-cjk).
"""

import sys
from pathlib import Path

from fontTools import subset

TARGET = Path(__file__).parent.parent / "components" / "fonts" / "NotoSansCJKsc-GBK.otf"
SIMPLIFIED_CHINESE = 2  # The font's place in the collection.
# Marks that GBK lacks and our words use.
ALSO = "¥–—·“”‘’…−✓≠"


def gbk() -> set[int]:
    """Every character that GBK can write."""
    pairs = (bytes((first, second)) for first in range(0x81, 0xFF) for second in range(0x40, 0xFF))
    written = (pair.decode("gbk", "ignore") for pair in pairs)
    return {ord(sign) for text in written for sign in text if len(text) == 1}


def main() -> None:
    options = subset.Options()
    options.layout_features, options.hinting = [], False
    options.font_number = SIMPLIFIED_CHINESE
    font = subset.load_font(sys.argv[1], options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=gbk() | set(range(0x20, 0x7F)) | set(map(ord, ALSO)))
    cut.subset(font)
    subset.save_font(font, str(TARGET), options)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
