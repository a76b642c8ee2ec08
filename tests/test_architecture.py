"""The rules of the house, kept by reading the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest

from components import icons

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("api", "components", "data", "pages", "services")
PROGRAMS = ("Home.py", "server.py", "worker.py")
OURS = {*LAYERS, "Home", "server", "worker", "tests", "tools", "benchmarks"}

# What each part may import of ours; never back, never sideways.
MAY_IMPORT = {
    "Home.py": {"components", "services"},
    "pages": {"components", "services"},
    "components": {"components", "services"},
    "services": {"services", "data"},
    "data": {"data"},
    "api": {"api", "services"},
    "server.py": {"api", "services"},
    "worker.py": {"services"},
}
# Who else opens a transaction, and so may import data.database.
DOORS = {
    "components/session.py",
    "server.py",
    "worker.py",
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "api").glob("*.py")),
}
# Services are given a session; only these work before there is anybody to give them one.
SELF_STARTERS = {"services/startup.py", "services/demo/__main__.py"}
# Parts of other services' deeds: who calls them has asked. Screens and routes may not.
INNER = {
    "forgetting.caregiver",
    "runs.begin",
    "runs.reach",
    "agreements.drop_offers",
    "agreements.forgo",
    "agreements.reach",
    "attachments.reach",
    "attachments.shred_of",
    "proofs.reach",
    "proofs.shred_of",
    "audit.record",
    "bookings.tell_requested",
    "calendars.reach",
    "payouts.reach",
    "receipts.city_of",
    "receipts.reach",
    "complaint_evidence.reach",
    "complaint_evidence.shred_of",
    "complaint_views.views",
    "complaints.end",
    "complaints.reach",
    "exclusions.lift_of",
    "points.lift_of",
    "second_eyes.check",
    "callers.acted_for",
    "calls.mark",
    "waiting_lists.close",
    "waiting_lists.put",
    "waiting_lists.reopen",
    "consents.take_down",
    "customers.merge_proven",
    "demands.announce",
    "demands.close_applications",
    "demands.expire",
    "demands.locked",
    "demands.reach",
    "demands.store",
    "substitutes.reach",
    "drafts.drop",
    "drafts.store",
    "drafts.written",
    "documents.keep_open",
    "documents.reach",
    "documents.shred_of",
    "leases.prolong",
    "levels.take_down",
    "lifecycles.begin",
    "lifecycles.take",
    "merges.join",
    "plans.complete_if_over",
    "redemption.settle",
    "report_photos.reach",
    "rules.is_alone",
    "rules.reach",
    "report_photos.shred_of",
    "standings.step",
    "tasks.ask",
    "visits.reach",
}
# Which libraries stay out of which part.
MAY_NOT_IMPORT = {
    "Home.py": {"sqlalchemy", "starlette"},
    "pages": {"sqlalchemy", "starlette"},
    "components": {"sqlalchemy", "starlette"},
    "services": {"streamlit", "streamlit_authenticator", "starlette", "uvicorn"},
    "data": {"streamlit", "streamlit_authenticator", "starlette", "uvicorn"},
    "worker.py": {"streamlit", "streamlit_authenticator", "starlette", "uvicorn"},
}
CLOCK = "services/clock.py"
# Durations (time.monotonic) are not a clock.
CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime"},
    "func": {"now", "current_timestamp", "current_date"},
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
WIDGETS = {
    "audio_input", "button", "camera_input", "chat_input", "checkbox", "color_picker",
    "data_editor", "date_input", "datetime_input", "download_button", "feedback", "file_uploader",
    "form_submit_button", "menu_button", "multiselect", "number_input", "pills", "radio",
    "segmented_control", "select_slider", "selectbox", "slider", "text_area", "text_input",
    "time_input", "toggle",
}  # fmt: skip
PAGE_LINES = 60
FILE_LINES = 400


def sources(*parts: str) -> Iterator[Path]:
    """The Python files of these folders and programs, migrations aside."""
    for part in parts:
        path = ROOT / part
        found = [path] if path.is_file() else sorted(path.rglob("*.py"))
        yield from (file for file in found if "migrations" not in file.parts)


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


@cache
def imports(file: Path) -> set[str]:
    """Every module a file imports; `from data import database` counts as data.database."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def nodes(*parts: str) -> Iterator[tuple[str, ast.AST]]:
    """Every syntax node of these parts, with its place as file:line."""
    for file in sources(*parts):
        for node in ast.walk(tree(file)):
            yield f"{name(file)}:{getattr(node, 'lineno', 0)}", node


def calls(*parts: str) -> Iterator[tuple[str, ast.Call]]:
    return ((place, node) for place, node in nodes(*parts) if isinstance(node, ast.Call))


def lines(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines())


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_one_way(part):
    astray = [
        f"{name(file)} imports {module}"
        for file in sources(part)
        for module in imports(file)
        if (package := module.split(".")[0]) in OURS
        and package not in MAY_IMPORT[part]
        and not (module.startswith("data.database") and name(file) in DOORS)
    ]
    assert not astray


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_libraries_stay_in_their_layer(part):
    astray = [
        f"{name(file)} imports {module}"
        for file in sources(part)
        for module in imports(file)
        if (library := module.split(".")[0]) in MAY_NOT_IMPORT[part]
        and not (library == "sqlalchemy" and name(file) in DOORS)
    ]
    assert not astray


def test_services_are_given_their_session():
    opening = [
        f"{name(file)} imports {module}"
        for file in sources("services")
        for module in imports(file)
        if module.startswith("data.database") and name(file) not in SELF_STARTERS
    ]
    assert not opening


def test_services_neither_commit_nor_roll_back():
    ending = [
        place
        for place, call in calls("services")
        if isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func) in {"session.commit", "session.rollback", "session.close"}
    ]
    assert not ending


def test_only_one_file_knows_streamlit_authenticator():
    knowing = {
        name(file)
        for file in sources(*LAYERS, *PROGRAMS)
        if any(module.split(".")[0] == "streamlit_authenticator" for module in imports(file))
    }
    assert knowing == {"components/passwords.py"}


def test_the_worker_runs_without_streamlit():
    """Not even by way of a library that brings it."""
    told = "import sys, worker; print(sorted(m for m in sys.modules if m.startswith('streamlit')))"
    ran = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_pages_live_in_folders_of_their_own():
    # Streamlit opens a file directly in pages/ without passing Home.py.
    assert not list((ROOT / "pages").glob("*.py"))


def test_pages_are_short():
    assert not [name(file) for file in sources("pages") if lines(file) > PAGE_LINES]


def test_files_fit_in_the_head():
    own = sources(*LAYERS, *PROGRAMS, "tools")
    assert not [name(file) for file in own if lines(file) > FILE_LINES]


def test_pages_hold_no_state_and_catch_nothing():
    found = [
        place
        for place, node in nodes("pages")
        if isinstance(node, ast.Try)
        or (isinstance(node, ast.Attribute) and node.attr == "session_state")
    ]
    assert not found


def test_now_comes_from_the_one_clock():
    found = []
    for place, node in nodes(*LAYERS, *PROGRAMS):
        if place.startswith(f"{CLOCK}:"):
            continue
        match node:
            case ast.Attribute(ast.Name(owner) | ast.Attribute(_, owner), attribute):
                if attribute in CLOCKS.get(owner, ()):
                    found.append(f"{place} {owner}.{attribute}")
            case ast.ImportFrom(module="time", names=aliases):
                found += [f"{place} {alias.name}" for alias in aliases if alias.name != "monotonic"]
    assert not found


def test_services_ask_for_permission_first():
    careless = set()
    for file in sources("services"):
        for function in tree(file).body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
                continue
            if [argument.arg for argument in function.args.args][:2] != ["session", "actor"]:
                continue
            body = function.body[1:] if ast.get_docstring(function) else function.body
            if not ast.unparse(body[0]).startswith("actor.require("):
                careless.add(f"{file.stem}.{function.name}")
    assert careless == INNER


def test_screens_and_routes_reach_no_inner_service():
    reaching = [
        place
        for place, node in nodes("Home.py", "pages", "components", "api")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in INNER
    ]
    assert not reaching


def test_every_widget_has_a_key():
    # A widget without one is a new widget, and empty, after a switch of language. What a module of
    # components draws (navigation.button) is looked at where it is drawn.
    keyless = [
        f"{place} {call.func.attr}"
        for place, call in calls("Home.py", "components", "pages")
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in WIDGETS
        and not (ROOT / "components" / f"{ast.unparse(call.func.value)}.py").exists()
        and "key" not in {keyword.arg for keyword in call.keywords}
    ]
    assert not keyless


def test_people_never_write_html():
    unsafe = {"unsafe_allow_html", "unsafe_allow_javascript"}
    found = [
        place
        for place, call in calls("Home.py", "components", "pages")
        if unsafe & {keyword.arg for keyword in call.keywords}
    ]
    assert not found


def test_names_say_something():
    empty = [
        name(file)
        for file in sources(*LAYERS, "tools", "tests", "benchmarks")
        for word in (*file.relative_to(ROOT).parts[:-1], file.stem)
        if word in EMPTY_NAMES or word.startswith("base_")
    ]
    assert not empty


def test_no_test_is_skipped():
    ways = {"pytest.skip", "pytest.xfail", "pytest.importorskip"}
    ways |= {"pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}
    ways |= {f"unittest.{way}" for way in ("skip", "skipIf", "skipUnless", "SkipTest")}
    skipped = [
        place
        for place, node in nodes("tests")
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in ways)
        or (
            isinstance(node, ast.ImportFrom)
            and {*ways, "pytest.mark"} & {f"{node.module}.{one.name}" for one in node.names}
        )
    ]
    assert not skipped


def test_every_member_of_an_enum_has_its_icon():
    """But in REQUEST: an order that is no request shows its visit's."""
    tables = {name: set(t) for name, t in vars(icons).items() if isinstance(t, dict)}
    enums = {name: type(next(iter(t))) for name, t in tables.items() if name.isupper()}
    wanted = {name: set(enum) for name, enum in enums.items() if issubclass(enum, StrEnum)}
    assert len(wanted) > 5
    assert [name for name in wanted if tables[name] != wanted[name]] == ["REQUEST"]
