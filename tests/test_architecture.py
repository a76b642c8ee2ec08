"""The house rules of docs and README, kept by reading the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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
# Which libraries stay out of which part.
MAY_NOT_IMPORT = {
    "Home.py": {"sqlalchemy", "starlette"},
    "pages": {"sqlalchemy", "starlette"},
    "components": {"sqlalchemy", "starlette"},
    "services": {"streamlit", "starlette", "uvicorn"},
    "data": {"streamlit", "starlette", "uvicorn"},
    "worker.py": {"streamlit", "starlette", "uvicorn"},
}
CLOCK = "services/clock.py"
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


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def imports(file: Path) -> set[str]:
    """Every module a file imports; `from data import database` counts as data.database."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(file: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.Call))


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_one_way(part):
    for file in sources(part):
        for module in imports(file):
            package = module.split(".")[0]
            if package not in OURS or package in MAY_IMPORT[part]:
                continue
            assert module.startswith("data.database") and name(file) in DOORS, (
                f"{name(file)} imports {module}"
            )


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_libraries_stay_in_their_layer(part):
    for file in sources(part):
        foreign = {module.split(".")[0] for module in imports(file)} & MAY_NOT_IMPORT[part]
        if name(file) in DOORS:
            foreign -= {"sqlalchemy"}
        assert not foreign, f"{name(file)} imports {foreign}"


def test_services_are_given_their_session():
    for file in sources("services"):
        if name(file) in SELF_STARTERS:
            continue
        opened = {module for module in imports(file) if module.startswith("data.database")}
        assert not opened, f"{name(file)} opens sessions itself"


def test_services_neither_commit_nor_roll_back():
    for file in sources("services"):
        for call in calls(file):
            match call.func:
                case ast.Attribute(ast.Name("session"), "commit" | "rollback" | "close"):
                    pytest.fail(f"{name(file)}:{call.lineno} session.{call.func.attr}()")


def test_only_one_file_knows_streamlit_authenticator():
    knowing = {
        name(file)
        for file in sources(*LAYERS, *PROGRAMS)
        if any(module.split(".")[0] == "streamlit_authenticator" for module in imports(file))
    }
    assert knowing == {"services/credentials.py"}


def test_pages_live_in_folders_of_their_own():
    # Streamlit opens a file directly in pages/ without passing Home.py.
    assert not list((ROOT / "pages").glob("*.py"))


def test_pages_are_short():
    for file in sources("pages"):
        lines = len(file.read_text("utf-8").splitlines())
        assert lines <= PAGE_LINES, f"{name(file)} has {lines} lines"


def test_pages_hold_no_state_and_catch_nothing():
    for file in sources("pages"):
        for node in ast.walk(tree(file)):
            assert not isinstance(node, ast.Try), f"{name(file)}:{node.lineno} try"
            if isinstance(node, ast.Attribute):
                assert node.attr != "session_state", f"{name(file)}:{node.lineno} session_state"


def test_now_comes_from_the_one_clock():
    for file in sources(*LAYERS, *PROGRAMS):
        if name(file) == CLOCK:
            continue
        for node in ast.walk(tree(file)):
            match node:
                case ast.Attribute(ast.Name(owner) | ast.Attribute(_, owner), attribute):
                    assert attribute not in CLOCKS.get(owner, ()), (
                        f"{name(file)}:{node.lineno} {owner}.{attribute}"
                    )
                case ast.ImportFrom(module="time", names=aliases):
                    imported = {alias.name for alias in aliases} & CLOCKS["time"]
                    assert not imported, f"{name(file)}:{node.lineno} {imported}"


def test_services_ask_for_permission_first():
    for file in sources("services"):
        for function in tree(file).body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
                continue
            parameters = [argument.arg for argument in function.args.args]
            if parameters[:2] != ["session", "actor"]:
                continue
            body = function.body[1:] if ast.get_docstring(function) else function.body
            asked = ast.unparse(body[0]) if body else ""
            assert asked.startswith("actor.require("), (
                f"{name(file)}:{function.lineno} {function.name} begins with {asked!r}"
            )


def test_every_widget_has_a_key():
    # A widget without one is a new widget, and empty, after a switch of language.
    for file in sources("Home.py", "components", "pages"):
        for call in calls(file):
            if isinstance(call.func, ast.Attribute) and call.func.attr in WIDGETS:
                keywords = {keyword.arg for keyword in call.keywords}
                assert "key" in keywords, f"{name(file)}:{call.lineno} {call.func.attr}"


def test_people_never_write_html():
    for file in sources("Home.py", "components", "pages"):
        for call in calls(file):
            for keyword in call.keywords:
                assert keyword.arg not in {"unsafe_allow_html", "unsafe_allow_javascript"}, (
                    f"{name(file)}:{call.lineno} {keyword.arg}"
                )


def test_names_say_something():
    for file in sources(*LAYERS, "tools", "tests", "benchmarks"):
        for word in (*file.relative_to(ROOT).parts[:-1], file.stem):
            assert word not in EMPTY_NAMES, name(file)
            assert not word.startswith("base_"), name(file)


def test_files_fit_in_the_head():
    for file in sources(*LAYERS, *PROGRAMS, "tools"):
        lines = len(file.read_text("utf-8").splitlines())
        assert lines <= FILE_LINES, f"{name(file)} has {lines} lines"


def test_no_test_is_skipped():
    for file in sources("tests"):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                assert ast.unparse(node) not in {
                    "pytest.skip",
                    "pytest.xfail",
                    "pytest.importorskip",
                    "pytest.mark.skip",
                    "pytest.mark.skipif",
                    "pytest.mark.xfail",
                }, f"{name(file)}:{node.lineno}"
