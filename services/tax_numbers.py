"""Tax numbers of companies: the unified social credit code (GB 32100-2015)."""

import unicodedata

from services.errors import Invalid

# Ten digits and the capital letters but I, O, S, V and Z; a place in it is what a sign is worth.
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18


def checked(typed: str) -> str:
    """A code of 18 signs whose last one fits the others, written in capitals; or a refusal."""
    code = "".join(unicodedata.normalize("NFKC", typed).upper().split()).replace("-", "")
    if not code:
        raise Invalid("error.missing", field="tax_number")
    if len(code) != LENGTH or not set(code) <= set(SIGNS):
        raise Invalid("error.tax_number")
    if check_sign(code[:-1]) != code[-1]:
        raise Invalid("error.tax_number_mistyped")
    return code


def check_sign(first_17: str) -> str:
    """The last sign: 31 less the sum of all others, each times 3 to its place, modulo 31."""
    total = sum(SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(first_17))
    return SIGNS[-total % 31]
