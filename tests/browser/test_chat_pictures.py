"""Pictures in a chat: what Streamlit says of them in English is said in the visitor's language."""

import pytest
from playwright.sync_api import expect

from components.catalogues import say
from services import scans
from tests.browser.conftest import PATIENCE_MS
from tests.pages.test_chats import png

pytestmark = pytest.mark.browser
SAID_BESIDE = "element => getComputedStyle(element, '::after').content"


def test_a_picture_is_sent_and_what_is_none_is_refused_in_the_visitors_words(pilot, arrive):
    family = arrive(pilot.url)
    family.open("sign_in")
    family.demo_sign_in("customer")
    family.press("chat_panel")
    adding = family.page.get_by_test_id("stChatInputFileUploadButton")
    adding.locator("button").hover()
    assert adding.evaluate(SAID_BESIDE) == f'"{say("zh_CN", "chat.add_picture")}"'
    tip = family.page.get_by_test_id("stTooltipContent")
    tip.wait_for(state="attached", timeout=PATIENCE_MS)
    expect(tip).not_to_be_visible()
    family.is_well()

    with family.page.expect_file_chooser() as chosen:
        adding.locator("button").click()
    chosen.value.set_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    chip = family.page.get_by_test_id("stFileChip")
    most = scans.MOST_BYTES // 1024 // 1024
    assert chip.evaluate(SAID_BESIDE) == f'"{say("zh_CN", "chat.no_picture", megabytes=most)}"'
    chip.get_by_role("button").click()

    files = family.page.locator("[data-testid=stChatInput] input[type=file]")
    files.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": png()})
    expect(chip).to_be_visible(timeout=PATIENCE_MS)
    box = family.page.get_by_test_id("stChatInputTextArea")
    box.fill("看这张")
    # Enter is not heard while the picture is on its way.
    send = family.page.get_by_test_id("stChatInputSubmitButton")
    expect(send).to_be_enabled(timeout=PATIENCE_MS)
    box.press("Enter")
    sent = family.key("chat_thread").locator("[class*=st-key-said_own_]").last
    expect(sent).to_contain_text("看这张", timeout=PATIENCE_MS)
    expect(sent.locator("button, summary").first).to_be_visible(timeout=PATIENCE_MS)
