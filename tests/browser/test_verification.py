"""A caregiver shows who she is on her phone; an operator looks and says yes; nobody else looks."""

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import expect

from services import clock
from tests.browser.conftest import PATIENCE_MS, PHONE, Person
from tests.browser.papers import id_number, photo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NAME = "顾晓梅"
PHONE_NUMBER = "135 2468 1357"
PAPERS = (
    "身份证人像面",
    "身份证国徽面",
    "本人近照",
    "养老护理证书",
    "健康体检报告",
    "无犯罪记录证明",
)


@pytest.fixture
def watched(arrive) -> Callable[..., tuple[Person, list[str]]]:
    """People whose windows note every address they ask for."""

    def watched(base: str, **options: object) -> tuple[Person, list[str]]:
        person, asked = arrive(base, **options), []
        person.page.context.on("request", lambda request: asked.append(request.url))
        return person, asked

    return watched


def sign_up(person: Person) -> None:
    person.pick("sign_in_way", "注册")
    person.pick("sign_up_role", "做陪护服务")
    person.fill("sign_up_phone", PHONE_NUMBER)
    person.press("sign_up_send")
    code = person.page.get_by_text("验证码是").first
    code.wait_for()
    person.fill("sign_up_code", "".join(filter(str.isdigit, code.inner_text()))[-6:])
    person.fill("sign_up_name", NAME)
    for field in ("password", "password_again"):
        person.fill(f"sign_up_{field}", "a word that is long enough")
    person.key("sign_up_agreed").locator("label").first.click()
    person.press("sign_up_submit")


def add_certificate(person: Person, number: int, kind: str) -> None:
    key = f"my_profile_add_{number}"
    person.unfold(key)
    box = person.key(f"{key}_kind").locator("input").first
    box.click()
    box.fill(kind)  # The list is longer than what of it is drawn.
    box.press("ArrowDown")
    person.page.get_by_role("option", name=kind).first.click(timeout=PATIENCE_MS)
    person.settle()
    person.fill(f"{key}_issuer", "南通市职业技能培训中心")
    person.press(f"{key}_submit")


def fill_profile(person: Person) -> None:
    add_certificate(person, 0, "健康证")
    add_certificate(person, 1, "养老护理证书")
    person.key("my_profile_works_0").locator("label").first.click()
    person.settle()
    person.press("profile_save")
    person.sees("资料已保存")
    person.is_well()


def hand_in(person: Person) -> None:
    """Consent, name and number, six photos."""
    person.open("verification")
    person.is_well()
    if person.key("verification_agreed").is_visible():
        person.key("verification_agreed").locator("label").first.click()
        person.settle()
        person.press("case_consent")
    person.fill("verification_name", NAME)
    person.fill("verification_number", "320613199001014820")
    person.sees("校验")
    number = id_number(date(clock.today().year - 40, 1, 1))
    person.fill("verification_number", number)
    person.press("case_identity")
    person.sees("姓名和号码已加密保存")
    assert number not in person.page.content()
    for count, paper in enumerate(PAPERS):
        person.settle()
        person.sees("拍照或选择文件")
        person.page.locator("input[type=file]").set_input_files(photo(f"{count}"))
        viewer = person.page.locator("figure img")
        expect(viewer).to_be_visible(timeout=PATIENCE_MS)
        expect(viewer).to_have_attribute("alt", paper, timeout=PATIENCE_MS)
        person.settle()
        if count == 0:
            person.is_well()
        if paper != PAPERS[-1]:
            person.press("case_next_paper")


def test_a_caregiver_is_onboarded_and_nobody_else_sees_her_papers(pilot, watched, arrive):
    caregiver, hers = watched(pilot.url, size=PHONE)
    caregiver.open("my_profile")
    logo = {url for url in hers if "/media/" in url}
    sign_up(caregiver)
    caregiver.sees("还要上传")
    fill_profile(caregiver)
    hand_in(caregiver)
    caregiver.press("open_my_profile")
    caregiver.press("profile_submit")
    caregiver.sees("已提交审核")
    caregiver.open("verification")
    caregiver.sees("审核中")
    caregiver.is_well()

    operator, theirs = watched(pilot.url)
    operator.open("caregivers")
    operator.demo_sign_in("operator")
    operator.cookie()
    operator.open("caregivers?show=submitted")
    operator.fill("caregiver_search", NAME)
    operator.page.locator(".dvn-scroller").first.click(position={"x": 15, "y": 50})
    operator.settle()
    operator.page.get_by_role("link", name="去审核资料和证件").click()
    operator.settle()
    operator.press("case_take_this")
    operator.sees(NAME)
    for paper in PAPERS:
        viewer = operator.page.locator("figure img")
        expect(viewer).to_have_attribute("alt", paper, timeout=PATIENCE_MS)
        expect(viewer).to_be_visible(timeout=PATIENCE_MS)
        operator.page.keyboard.press("Alt+ArrowDown")
        operator.settle()
    operator.is_well()
    operator.page.locator("figure .stage").press("+")
    expect(operator.page.locator("figure output")).to_have_text("140%")
    operator.page.keyboard.press("Alt+a")
    operator.sees("已通过审核，并通知本人")

    caregiver.open("task_hall")
    caregiver.sees("只看我能接的")

    # Every address that showed a document, asked for again: by another, and by nobody.
    shown = {url for url in hers + theirs if "/documents/" in url}
    assert len(shown) >= 2 * len(PAPERS)
    assert not {url for url in hers + theirs if "/media/" in url} - logo
    other = arrive(pilot.url)
    other.open("my_orders")
    other.demo_sign_in("customer")
    other.cookie()
    nobody = arrive(pilot.url)
    for person in (other, nobody, operator, caregiver):
        for url in shown:
            answer = person.page.context.request.get(url)
            assert (answer.status, answer.body()) == (403, b""), url
    # Whatever else they asked for tells nobody of her.
    for url in {url for url in hers + theirs if url.startswith(pilot.url)} - shown:
        told = nobody.page.context.request.get(url).body()
        assert not [one for one in (NAME, PHONE_NUMBER.replace(" ", "")) if one.encode() in told]
