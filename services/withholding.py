"""Withholding of income tax from pay for labour (劳务报酬): what whoever pays should keep back.

Only told, never taken off: payouts are not changed by it.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from services import rules


class TaxMode(StrEnum):
    """Nothing is told, or what is withheld from residents' pay for labour."""

    OFF = "off"
    LABOUR = "labour"


@dataclass(frozen=True, slots=True)
class Band:
    """Taxable fen up to this (None: any more) at this many percent, less the quick deduction."""

    up_to_fen: int | None
    percent: int
    quick_fen: int


@dataclass(frozen=True, slots=True)
class TaxRule:
    """Of a person's month: what is taken off first, and the bands of what is left."""

    mode: TaxMode = TaxMode.LABOUR
    small_fen: int = 400_000
    off_small_fen: int = 80_000
    off_percent: int = 20
    bands: tuple[Band, ...] = (
        Band(2_000_000, 20, 0),
        Band(5_000_000, 30, 200_000),
        Band(None, 40, 700_000),
    )


def of(session: Session, city_code: str) -> TaxRule:
    """The rule that is in force in a city."""
    told = rules.now(session, city_code)["withholds_tax"]
    return TaxRule(mode=TaxMode.LABOUR if told else TaxMode.OFF)


def withheld_fen(income_fen: int, rule: TaxRule) -> int:
    """What is withheld of a person's pay for labour in one month, in whole fen, half up.

    Up to 4,000 yuan 800 are taken off, of more a fifth; then 20, 30 and 40 percent less 0, 2,000
    and 7,000 yuan. Source: State Taxation Administration, Announcement 2018 No. 61
    (个人所得税扣缴申报管理办法（试行）), Article 8 and withholding table 2.
    """
    if rule.mode is TaxMode.OFF or income_fen <= 0:
        return 0
    small = income_fen <= rule.small_fen
    hundredfold = 100 * income_fen
    off = 100 * rule.off_small_fen if small else rule.off_percent * income_fen
    taxable = max(hundredfold - off, 0)
    band = next(
        one for one in rule.bands if one.up_to_fen is None or taxable <= 100 * one.up_to_fen
    )
    return (taxable * band.percent - 10_000 * band.quick_fen + 5_000) // 10_000
