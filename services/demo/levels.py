"""The levels of the demo's caregivers, and what the city lets each of them ask."""

from data.caregivers import CaregiverLevel
from data.catalogue import CareItem

# The items whose prices the city bounds, and the percents of the range that each level has.
BASE_PRICED = ("hospital_companion", "companionship", "bath_assist", "meals")
SHARES = {
    CaregiverLevel.JUNIOR: (15, 50),
    CaregiverLevel.INTERMEDIATE: (30, 75),
    CaregiverLevel.SENIOR: (55, 100),
}


def after(worked: int) -> CaregiverLevel:
    """How far along somebody is after so many years."""
    if worked < 5:
        return CaregiverLevel.JUNIOR
    return CaregiverLevel.INTERMEDIATE if worked < 10 else CaregiverLevel.SENIOR


def prices(items: list[CareItem]) -> dict[str, dict[str, list[int]]]:
    """What the city's levels may ask for some items: as wide as what they do ask for."""
    found = dict[str, dict[str, list[int]]]()
    for item in items:
        if item.code not in BASE_PRICED:
            continue
        span = item.highest_fen - item.lowest_fen
        found[str(item.id)] = {
            level: [(item.lowest_fen + span * share // 100) // 500 * 500 for share in shares]
            for level, shares in SHARES.items()
        }
    return found
