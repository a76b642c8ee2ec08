"""Which single change would have met most of the unmet needs: ranked, the best one in words."""

from collections.abc import Sequence
from math import ceil

import streamlit as st

from components import catalogue, formats, session
from components.figures import charts, panels
from components.i18n import t
from services import unmet_changes
from services.catalogue import ItemView
from services.unmet_changes import Change

_FEWEST_ROWS, _LINES_A_ROW = 2, 2


def best(item_id: int | None, items: dict[int, ItemView]) -> None:
    """The changes for all care, or for one item, as bars; and the best one as a sentence."""
    st.subheader(t("unmet.changes"), anchor=False)
    found = session.fetch(unmet_changes.best, item_id)
    if not found:
        st.caption(t("unmet.no_changes"))
        return
    first = found[0]
    st.success(_sentence(first, items), icon=":material/lightbulb:")
    _bars(found, items)
    st.caption(t("unmet.changes_about", most=unmet_changes.MOST_TRIED))


def _sentence(one: Change, items: dict[int, ItemView]) -> str:
    key = "unmet.best_exact" if one.exact else "unmet.best_most"
    said = t(key, change=formats.plain(_name(one, items)), met=one.met, needs=one.needs)
    return f"{said} {t('unmet.people', people=one.people)}" if one.people > 1 else said


def _bars(found: Sequence[Change], items: dict[int, ItemView]) -> None:
    names = [panels.beside_bar(_name(one, items)) for one in found]
    lines = max(name.count("<br>") + 1 for name in names)
    sides = {
        "unmet.met_exact": [one.met if one.exact else 0 for one in found],
        "unmet.met_most": [0 if one.exact else one.met for one in found],
    }
    charts.draw(
        charts.bars(
            {t(key): counts for key, counts in sides.items()},
            names,
            stacked=True,
            number="d",
        ),
        key="unmet_changes_chart",
        alt=t("unmet.changes"),
        rows=max(_FEWEST_ROWS, ceil(lines / _LINES_A_ROW)) * len(found),
    )


def _name(one: Change, items: dict[int, ItemView]) -> str:
    """The change as something to do."""
    subject = one.subject
    place = formats.district(subject.place_code)
    if subject.item_id is not None:
        item = catalogue.item_name(items, subject.item_id)
        if one.amount is None:
            return t("unmet_change.any_price", place=place, item=item)
        amount = formats.money(one.amount)
        return t("unmet_change.price", place=place, item=item, amount=amount)
    certificates = [t(f"certificate.{kind}") for kind in subject.certificates]
    return t(
        f"unmet_change.{subject.kind}",
        place=place,
        certificates=formats.listed(certificates) or t("unmet.no_certificate"),
        daypart=t(f"daypart.{subject.daypart}") if subject.daypart else t("find.any_time"),
        amount=one.amount,
    )
