"""Findings of compliance: the queue, the evidence of each, and the decision."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from components import formats, icons, layout, navigation, places, session, tables
from components.figures import charts
from components.i18n import t
from services.compliance import findings
from services.compliance.findings import FindingKind, FindingStatus, FindingView

_SHOW = "compliance_show"


def queue() -> None:
    """What waits or what was decided, by kind and a page at a time."""
    decided = st.segmented_control(
        t("compliance.show"),
        [False, True],
        default=False,
        required=True,
        format_func=lambda one: t("compliance.decided" if one else "compliance.waiting"),
        key=_SHOW,
        label_visibility="collapsed",
    )
    counts = Counter(session.fetch(findings.counts, decided=decided))
    if not counts:
        if decided:
            layout.empty("breaches_decided", icon=":material/history:")
        else:
            layout.empty("breaches", icon=":material/verified_user:")
        return
    if not decided:
        _picture(counts)
    kind = _kind(counts)
    number = counts[kind] if kind else counts.total()
    begin = tables.offset(number, f"compliance_page_{kind}_{decided}")
    for one in session.fetch(findings.listing, kind=kind, decided=decided, offset=begin):
        _finding(one)


def _kind(counts: Counter[FindingKind]) -> FindingKind | None:
    """The kind that is chosen, of those there are."""
    there = {kind: counts[kind] for kind in FindingKind if counts[kind]}
    chosen = tables.kind_choice(
        t("compliance.kind"),
        {tables.ALL: counts.total(), **there},
        lambda kind: t(f"finding_kind.{kind}"),
        "compliance_kind",
    )
    return FindingKind(chosen) if chosen in there else None


def _picture(counts: Counter[FindingKind]) -> None:
    told = [kind for kind in FindingKind if counts[kind]]
    if len(told) < 2:  # One bar compares nothing.
        return
    charts.draw(
        charts.bars(
            {t("compliance.waiting"): [counts[kind] for kind in told]},
            [t(f"finding_kind.{kind}") for kind in told],
            stacked=False,
        ),
        key="compliance_chart",
        alt=t("compliance.chart"),
        rows=len(told),
    )


def _finding(one: FindingView) -> None:
    with st.container(border=True, key=f"finding_{one.id}"):
        with layout.row():
            st.markdown(f"{icons.FINDING[one.kind]} **{t(f'finding_kind.{one.kind}')}**")
            layout.badge(icons.FINDING_STATUS[one.status], t(f"finding_status.{one.status}"))
        st.markdown(_evidence(one))
        parts = [
            places.city_path(one.city_code),
            t("compliance.found", at=formats.moment(one.found_at)),
        ]
        if one.caregiver_name:
            parts.insert(0, formats.plain(one.caregiver_name))
        if one.owner_name:
            parts.append(t("compliance.owner", name=formats.plain(one.owner_name)))
        st.caption(" · ".join(parts))
        if one.decision_words:
            st.text(one.decision_words)
        _look(one)
        if one.status in (FindingStatus.OPEN, FindingStatus.TAKEN):
            _decide(one)


def _evidence(one: FindingView) -> str:
    """What was found, in a sentence."""
    facts = one.facts
    case = f"{one.kind}_{facts['place']}" if "place" in facts else one.kind
    return t(
        f"finding_evidence.{case}",
        order=one.order_id or "",
        demand=one.demand_id or "",
        price=_money(facts, "price_fen"),
        lowest=_money(facts, "lowest_fen"),
        highest=_money(facts, "highest_fen"),
        count=facts.get("count", 0),
        of=facts.get("of", 0),
        month=facts.get("month", ""),
        km=facts.get("km", 0),
        days=facts.get("days", 0),
        papers=formats.listed(t(f"certificate.{kind}") for kind in facts.get("lacking", ())),
    )


def _money(facts: Mapping[str, Any], name: str) -> str:
    return formats.money(facts[name]) if name in facts else ""


def _look(one: FindingView) -> None:
    """Where the evidence itself is."""
    if one.kind is FindingKind.IDLE_COMPLAINT:
        navigation.link("complaints", t("compliance.see_complaint"), icon=":material/gavel:")
    elif one.order_id is not None:
        navigation.link(
            "orders",
            t("compliance.see_order", number=one.order_id),
            icon=":material/list_alt:",
            order=str(one.order_id),
        )
    if one.kind is FindingKind.CONTACTS and st.toggle(
        t("compliance.see_words"), key=f"words_{one.id}", help=t("compliance.see_words_help")
    ):
        st.text(session.disclose(findings.written, one.id) or "")


def _decide(one: FindingView) -> None:
    with layout.deeds(f"finding_{one.id}"):
        if "take" in one.moves and st.button(
            t("compliance.take"), icon=":material/back_hand:", key=f"take_finding_{one.id}"
        ):
            session.perform("compliance.taken", findings.take, one.id)
        _uphold(one)
        with st.popover(
            t("compliance.dismiss"), icon=":material/close:", key=f"dismiss_finding_{one.id}_ask"
        ):
            key = f"dismiss_finding_{one.id}"
            said = layout.reason_form(key, t("compliance.dismiss"), t("compliance.why_dismiss"))
            if said is not None:
                session.perform("compliance.dismissed", findings.dismiss, one.id, said)


def _uphold(one: FindingView) -> None:
    key = f"uphold_finding_{one.id}"
    with (
        st.popover(
            t("compliance.uphold"), icon=":material/gavel:", key=f"{key}_ask", type="primary"
        ),
        st.form(f"{key}_form", border=False),
    ):
        given = 0
        if one.caregiver_id is not None:
            given = st.number_input(
                t("compliance.points"),
                value=one.suggested,
                min_value=0,
                step=1,
                key=f"{key}_points",
            )
            st.caption(t("compliance.points_note"))
        said = st.text_area(
            t("field.reason"),
            key=f"reason_{key}",
            max_chars=500,
            placeholder=t("compliance.why_uphold"),
        )
        if st.form_submit_button(t("compliance.uphold"), type="primary", key=key):
            session.perform("compliance.upheld", findings.uphold, one.id, said or "", given)
