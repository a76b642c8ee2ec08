"""Every refusal a service can raise has words in both languages, with the same blanks."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from components.catalogues import LANGUAGES, catalogue
from data.history import Noun

SERVICES = Path(__file__).resolve().parent.parent.parent / "services"
REFUSALS = {"Invalid", "NotAllowed", "NotFound", "Conflict"}


def calls(*names):
    """Every call of these functions in the services, by file and line."""
    for file in sorted(SERVICES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in names:
                    yield f"{file.name}:{node.lineno}", node


def keys(argument):
    """The message keys an argument can stand for."""
    match argument:
        case ast.Constant(str(key)):
            return [key]
        case ast.IfExp(body=one, orelse=other):
            return keys(one) + keys(other)
        case ast.Name("refusal"):  # Of another process, where it is raised with its key.
            return ["error.document_unreadable"]
        case ast.JoinedStr():
            return [f"error.{noun}_moved_on" for noun in Noun]
        case _:
            return []


RAISED = [
    (place, key, {keyword.arg for keyword in call.keywords})
    for place, call in calls(*REFUSALS)
    for key in keys(call.args[0])
]


def test_every_refusal_is_understood_by_this_test():
    assert [place for place, call in calls(*REFUSALS) if not keys(call.args[0])] == []
    written = {
        key
        for file in SERVICES.rglob("*.py")
        for key in re.findall(r'"(error\.\w+)"', file.read_text("utf-8"))
    }
    assert written <= {key for _, key, _ in RAISED}
    assert len(RAISED) > 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_words(language):
    assert [key for _, key, _ in RAISED if key not in catalogue(language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_brings_the_values_its_words_need(language):
    lacking = [
        (place, key)
        for place, key, given in RAISED
        for _, blank, _, _ in Formatter().parse(catalogue(language)[key])
        if blank and blank not in given
    ]
    assert lacking == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_a_refusal_names_has_a_name(language):
    fields = {
        argument.value
        for _, call in calls("words", "_tasks")
        for argument in call.args[1:2]
        if isinstance(argument, ast.Constant)
    }

    assert len(fields) > 10
    assert [field for field in fields if f"field.{field}" not in catalogue(language)] == []
