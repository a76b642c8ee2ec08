"""What a page shows, read the way its visitor reads it."""

from pandas import DataFrame
from streamlit.testing.v1 import AppTest

from components import i18n
from components.catalogues import say


def words(key: str, **values: object) -> str:
    """A message of ours in Chinese, the language tests open the app in."""
    return say("zh_CN", key, **values)


def said(app: AppTest) -> str:
    """Everything the page itself says, the sidebar aside, in one text."""
    page = app.main
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.text, page.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def table(app: AppTest) -> DataFrame:
    """The rows of the first table."""
    return app.dataframe[0].value


def keys(app: AppTest) -> set[str | None]:
    """The keys of all buttons, those of the sidebar too."""
    return {button.key for button in app.button}


def questions(app: AppTest) -> set[str]:
    """The keys of the buttons that ask once more before they act."""
    popovers = (block.proto.popover.id for block in app.get("popover"))
    return {key.rsplit("-", 1)[-1].removesuffix("_ask") for key in popovers}


def confirm(app: AppTest, key: str) -> AppTest:
    """Press a button that asks once more, and answer yes."""
    return opened(app, f"{key}_ask").button(key=key).click().run()


def opened(app: AppTest, key: str) -> AppTest:
    """Open a popover or expander; AppTest forgets that it is open after the next run."""
    app.session_state[key] = True
    app.run()
    app.session_state[key] = True
    return app


def errors(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


def successes(app: AppTest) -> list[str]:
    return [success.value for success in app.success]


def speak_english(app: AppTest) -> AppTest:
    """Switch the app to English; conftest.py switches the test's own thread back."""
    app.segmented_control(key="language").set_value("en").run()
    # AppTest names options in the test's thread, which no run has given a language.
    i18n._of_this_run.set("en")
    return app
