"""Whether words hold a way to reach somebody past the platform."""

import re
import unicodedata

# Signs that people put between digits so that nobody finds the number.
_BETWEEN = r"[\s\-_.·,，。*/\\|]{0,2}"
_PHONE = re.compile(r"(?<!\d)1" + _BETWEEN + r"[3-9]" + (_BETWEEN + r"\d") * 9 + r"(?!\d)")
ACCOUNT_WORDS = (
    r"(?:微信|薇信|威信|v信|weixin|wechat|vx|wx|qq|扣扣)\s*(?:号|id|是|：|:|加|\s){0,4}\s*"
    r"(?=[a-z0-9_-]{0,19}[0-9_-])[a-z0-9][a-z0-9_-]{5,19}"
)
DIGIT_WORDS = "零〇一二三四五六七八九幺"
_ACCOUNT = re.compile(ACCOUNT_WORDS, re.IGNORECASE)
_DIGITS = str.maketrans(DIGIT_WORDS, "001234567891")


def told_in(words: str) -> bool:
    """A mainland mobile number, or the name of an account at a messenger, however spaced."""
    plain = unicodedata.normalize("NFKC", words)
    return bool(_PHONE.search(plain.translate(_DIGITS)) or _ACCOUNT.search(plain))
