"""What AppTest does not show of an app: the menu, and which page was run."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from components import i18n
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def chinese_again() -> Iterator[None]:
    """Whatever language a test ended in, the next one starts in Chinese."""
    yield
    i18n._of_this_run.set(None)


@pytest.fixture
def menu(monkeypatch) -> list[str]:
    """The titles in the menu as it was drawn last."""
    shown: list[str] = []
    register = st.navigation

    def noted(pages, **options):
        shown[:] = [page.title for page in pages if page.visibility == "visible"]
        return register(pages, **options)

    monkeypatch.setattr(st, "navigation", noted)
    return shown


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The addresses of the pages that ran, oldest first."""
    ran: list[str] = []
    run = StreamlitPage.run

    def noted(page):
        if page._page != ROOT / "Home.py":  # To Streamlit the router itself is a page too.
            ran.append(page.url_path)
        run(page)

    monkeypatch.setattr(StreamlitPage, "run", noted)
    return ran


@pytest.fixture
def pick_row(monkeypatch) -> Callable[[int], None]:
    """Choose a row of the page's table; AppTest cannot click in one."""
    draw = st.dataframe

    def pick_row(row: int) -> None:
        def drawn(table, **options):
            picked = draw(table, **options)
            if "on_select" not in options:
                return picked
            return SimpleNamespace(selection=SimpleNamespace(rows=[row]))

        monkeypatch.setattr(st, "dataframe", drawn)

    return pick_row
