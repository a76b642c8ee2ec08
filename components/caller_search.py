"""Finding who is on the line while their name or number is typed, and entering somebody new."""

import streamlit as st

from components import formats, layout, session
from components.i18n import t
from components.keyboard import live_field
from services import callers, calls, phones
from services.callers import Caller
from services.calls import Direction

TYPED, ENTERED = "desk_typed", "desk_new"
_FIELD, _ANSWER = "caller_field", "desk_answer"


def _note_typed() -> None:
    # A page that news draw anew may still send what was typed in a field that is gone.
    if (field := st.session_state.get(_FIELD)) is None:
        return
    st.session_state[TYPED] = field.typed or ""
    st.session_state[_ANSWER] = st.session_state.get(_ANSWER, 0) + 1


@session.fragment
def search_field() -> None:
    """One field for everything one can know of a caller; only what it finds is drawn anew."""
    field = st.container()
    typed = st.session_state.get(TYPED, "")
    found_in = f"callers_found_{st.session_state.get(_ANSWER, 0)}"
    with st.container(key=found_in):
        count = _found(typed) if typed.strip() else 0
    with field:
        live_field(
            data={
                "label": t("desk.find"),
                "placeholder": t("desk.find_hint"),
                "hint": t("desk.found", count=count) if typed.strip() else t("desk.find_keys"),
                "longest": callers.MOST_TYPED,
                "answered": typed,
                "found": found_in,
            },
            key=_FIELD,
            on_typed_change=_note_typed,
            height="content",
        )


def _found(typed: str) -> int:
    """Who it may be; a whole number leads on to entering somebody at it."""
    found = session.fetch(callers.find, typed)
    for one in found:
        if st.button(
            formats.plain(" · ".join((one.name, *facts(one)))),
            icon=":material/person:",
            key=f"caller_{one.id}",
            width="stretch",
        ):
            choose(one.id)
    if len(found) == callers.MOST_FOUND:
        st.caption(t("desk.more_found", count=callers.MOST_FOUND))
    phone = phones.whole(typed)
    if phone is not None:
        _first_call(phone, known=bool(found))
    elif not found:
        layout.empty("callers", icon=":material/person_search:")
    return len(found)


def choose(number: int, direction: Direction = Direction.IN) -> None:
    """Open a caller; the call with them begins."""
    session.disclose(calls.begin, number, direction)
    st.query_params["caller"] = str(number)
    st.rerun()


def facts(caller: Caller) -> list[str]:
    """What tells two people of the same name apart."""
    told = [caller.masked_phone or t("desk.no_own_phone")]
    if caller.through:
        told.insert(0, t("desk.for_recipient", name=caller.through))
    if caller.district_code:
        told.append(formats.district(caller.district_code))
    if caller.recipients:
        told.append(t("desk.recipients", count=caller.recipients))
    if caller.last_wish_at is not None:
        told.append(t("desk.last_wish", day=formats.day(caller.last_wish_at).partition(" · ")[0]))
    if caller.is_caregiver:
        told.append(t("desk.is_caregiver"))
    return told


def _first_call(phone: str, *, known: bool) -> None:
    """Enter somebody whose number nobody knows, or somebody else at a known one."""
    if known:
        with st.expander(
            t("desk.somebody_else"), icon=":material/group:", key="somebody_else", on_change="rerun"
        ) as opened:
            if opened.open:
                _first_call_form(phone, shared=True)
        return
    st.info(t("desk.first_call"), icon=":material/person_add:")
    _first_call_form(phone, shared=False)


def _first_call_form(phone: str, *, shared: bool) -> None:
    codes = sorted(session.actor().cities)
    with st.form("first_call"):
        name = st.text_input(t("field.name"), key="first_call_name", max_chars=40)
        number = st.text_input(
            t("field.phone"),
            phone.removeprefix("+86"),
            key=f"first_call_phone_{phone}",
            max_chars=20,
        )
        city_code = codes[0] if codes else ""
        if len(codes) > 1:
            city_code = st.selectbox(
                t("field.city"), codes, format_func=formats.city, key="first_call_city"
            )
        if shared:
            st.caption(t("desk.shared_number"))
        else:
            shared = st.checkbox(
                t("desk.not_their_own"), key="first_call_shared", help=t("desk.shared_number")
            )
        said = st.text_input(
            t("field.contact_words"),
            key="first_call_words",
            max_chars=40,
            placeholder=t("desk.contact_hint"),
        )
        if st.form_submit_button(
            t("desk.register"), type="primary", icon=":material/person_add:", key="first_call_save"
        ):
            session.perform(
                "desk.registered",
                callers.register,
                name,
                number,
                city_code,
                shared=shared,
                said=said,
                forget=("first_call",),
                keep=ENTERED,
            )
