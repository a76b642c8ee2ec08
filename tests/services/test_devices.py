import pytest

from services import addresses, devices

MOZILLA = "Mozilla/5.0"
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        (
            f"{MOZILLA} (Windows NT 10.0; Win64; x64) {KIT} Chrome/140.0 Safari/537.36",
            "Chrome Windows",
        ),
        (f"{MOZILLA} (Windows NT 10.0) {KIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge Windows"),
        (f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox Linux"),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {KIT} Version/18 Safari/605",
            "Safari Mac",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {KIT} Mobile Safari/604",
            "Safari iPhone",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {KIT} MicroMessenger/8.0",
            "wechat iPhone",
        ),
        (
            f"{MOZILLA} (Linux; Android 14) {KIT} Chrome/116 Mobile MicroMessenger/8.0",
            "wechat Android",
        ),
        (
            f"{MOZILLA} (Linux; Android 12; HarmonyOS) {KIT} Chrome/114 HuaweiBrowser/15.0",
            "huawei harmony",
        ),
        (
            f"{MOZILLA} (Linux; U; Android 13) {KIT} MQQBrowser/14 Mobile Safari/537.36",
            "qq Android",
        ),
        ("curl/8.5", "other other"),
        ("", "other other"),
        ("<script>alert(1)</script>", "other other"),
    ],
)
def test_a_browser_is_named_by_what_it_says(agent, named):
    device = devices.read(agent)

    assert f"{device.browser} {device.system}" == named


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", ""),
        ("unknown", ""),
        ("203.0.113.777", ""),
    ],
)
def test_an_address_is_kept_without_its_last_part(address, prefix):
    assert addresses.prefix(address) == prefix
