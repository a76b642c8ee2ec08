"""The draft of a demand: filled in again, kept whenever a field was left, or thrown away."""

from collections.abc import Mapping
from datetime import time, timedelta

import streamlit as st

from components import formats, session
from components.i18n import t
from components.location import Found
from components.places import kept_key
from services import clock, drafts, repeats
from services.catalogue import ItemView
from services.drafts import DraftFields, DraftView

FIRST_START = time(9)
ONCE, REGULARLY = OFTEN = ("once", "regularly")
# Whichever sex the caregiver is of.
EITHER = "either"


def restore(key: str, items: Mapping[int, ItemView], customer_id: int | None) -> DraftFields | None:
    """On a new visit of the form, fill it with what was kept; it tells so while it is open.

    What was kept is returned, for fields that begin with it.
    """
    found = st.session_state.get(_found(key))
    if _emptied(key) in st.session_state:
        found = None
        for left in (_emptied(key), _found(key), _kept(key), kept_key(key)):
            st.session_state.pop(left, None)
        st.session_state.update(_blanks(key, items))
    if f"{key}_words" not in st.session_state:  # Leaving the page empties its fields.
        found = session.fetch(drafts.find, customer_id=customer_id)
        st.session_state[_found(key)] = found
        for left in (_kept(key), kept_key(key)):
            st.session_state.pop(left, None)
        if found is not None:
            st.session_state.update(_values(key, found.fields, items))
    if found is None:
        return None
    _restored(key, found, customer_id)
    return found.fields


def keep(key: str, fields: DraftFields, customer_id: int | None) -> None:
    """Save what is filled in, if that is something else than was drawn or saved last."""
    if st.session_state.setdefault(_kept(key), fields) != fields:
        st.session_state[_kept(key)] = fields
        session.disclose(drafts.save, fields, customer_id=customer_id)


def again_button(demand_id: int, key: str, *, customer_id: int | None = None) -> None:
    """Post a former demand again: the form opens with everything filled in, a week later."""
    if st.button(t("draft.again"), key=f"again_{key}", icon=":material/replay:", type="tertiary"):
        session.perform(
            "draft.ready" if customer_id is None else "draft.ready_for_caller",
            repeats.repeat,
            demand_id,
            customer_id=customer_id,
            then="post_demand" if customer_id is None else None,
        )


def _restored(key: str, found: DraftView, customer_id: int | None) -> None:
    """When the draft is from, what of it holds no more, and the way to an empty form."""
    with st.container(border=True, gap="small", key=f"draft_of_{key}"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            at = formats.soon(found.saved_at)
            st.markdown(f":material/edit_note: {t('draft.restored', at=at)}", width="content")
            if st.button(
                t("draft.discard"), key="discard_draft", icon=":material/delete:", type="tertiary"
            ):
                session.perform(
                    "draft.discarded",
                    drafts.discard,
                    customer_id=customer_id,
                    keep=_emptied(key),
                )
        for lost in found.lost:
            st.caption(f":orange[:material/warning:] {t(f'draft.lost_{lost}')}")


def _values(key: str, fields: DraftFields, items: Mapping[int, ItemView]) -> dict[str, object]:
    """What the form's fields hold, by their keys; the others begin as ever."""
    item, city = items.get(fields.item_id or 0), fields.city_code
    values: dict[str, object] = {
        f"{key}_recipient": fields.recipient_id,
        f"{key}_city": city,
        f"{key}_often": ONCE if fields.weekdays is None else REGULARLY,
        f"{key}_place_{city}": fields.place_id,
        f"{key}_district_{city}": fields.district_code,
        f"{key}_day": fields.day,
        f"{key}_start": fields.start,
    }
    if item is not None:
        values |= {
            f"{key}_group": item.group,
            f"{key}_item_{item.group}": item.id,
            f"{key}_units_{item.id}": fields.units,
        }
        if fields.lowest_fen and fields.highest_fen and item.lowest_fen < item.highest_fen:
            ends = fields.lowest_fen // 100, fields.highest_fen // 100
            values[f"{key}_price_{item.id}"] = ends
    if fields.district_code and fields.cell:
        values[kept_key(key)] = Found(fields.district_code, fields.cell)
    filled = {name: value for name, value in values.items() if value is not None}
    return filled | {
        f"{key}_address": fields.address,
        f"{key}_skills": list(fields.skills),
        f"{key}_wished_sex": fields.wished_sex or EITHER,
        f"{key}_words": fields.words,
    }


def _blanks(key: str, items: Mapping[int, ItemView]) -> dict[str, object]:
    """What the fields begin with; for whom, which care and which district stay chosen.

    They are set, for a browser goes on showing what a field holds that is merely forgotten.
    """
    values: dict[str, object] = {
        f"{key}_place_{st.session_state.get(f'{key}_city')}": None,
        f"{key}_often": ONCE,
        f"{key}_day": clock.today() + timedelta(days=1),
        f"{key}_start": FIRST_START,
        f"{key}_address": "",
        f"{key}_skills": [],
        f"{key}_wished_sex": EITHER,
        f"{key}_words": "",
    }
    for item in items.values():
        values[f"{key}_units_{item.id}"] = item.fewest_units
        values[f"{key}_price_{item.id}"] = item.lowest_fen // 100, item.highest_fen // 100
    return {name: value for name, value in values.items() if name in st.session_state}


def _emptied(key: str) -> str:
    return f"{key}_draft_emptied"


def _found(key: str) -> str:
    return f"{key}_draft_found"


def _kept(key: str) -> str:
    return f"{key}_draft_kept"
