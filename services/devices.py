"""What browser somebody sits at, as it calls itself: to show, never to decide by."""

from dataclasses import dataclass
from enum import StrEnum


class Browser(StrEnum):
    """A browser's own name; those that are spelt small have one in every language."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    QQ = "qq"
    UC = "uc"
    HUAWEI = "huawei"
    XIAOMI = "xiaomi"
    EDGE = "Edge"
    OPERA = "Opera"
    SAMSUNG = "Samsung Internet"
    FIREFOX = "Firefox"
    CHROME = "Chrome"
    SAFARI = "Safari"
    OTHER = "other"


class System(StrEnum):
    HARMONY = "harmony"
    IPHONE = "iPhone"
    IPAD = "iPad"
    ANDROID = "Android"
    WINDOWS = "Windows"
    MAC = "Mac"
    CHROME_OS = "ChromeOS"
    LINUX = "Linux"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Device:
    browser: Browser
    system: System


# In this order: nearly everybody also claims to be Safari, and most to be Chrome.
_BROWSERS = (
    ("MicroMessenger", Browser.WECHAT),
    ("AlipayClient", Browser.ALIPAY),
    ("MQQBrowser", Browser.QQ),
    ("QQBrowser", Browser.QQ),
    ("UCBrowser", Browser.UC),
    ("HuaweiBrowser", Browser.HUAWEI),
    ("MiuiBrowser", Browser.XIAOMI),
    ("SamsungBrowser", Browser.SAMSUNG),
    ("Edg", Browser.EDGE),
    ("OPR/", Browser.OPERA),
    ("Firefox", Browser.FIREFOX),
    ("FxiOS", Browser.FIREFOX),
    ("Chrome", Browser.CHROME),
    ("CriOS", Browser.CHROME),
    ("Safari", Browser.SAFARI),
)
_SYSTEMS = (
    ("HarmonyOS", System.HARMONY),
    ("OpenHarmony", System.HARMONY),
    ("iPhone", System.IPHONE),
    ("iPad", System.IPAD),
    ("Android", System.ANDROID),
    ("Windows", System.WINDOWS),
    ("Macintosh", System.MAC),
    ("CrOS", System.CHROME_OS),
    ("Linux", System.LINUX),
)


def read(user_agent: str) -> Device:
    """The browser and the system a User-Agent header names."""
    browser = next((one for sign, one in _BROWSERS if sign in user_agent), Browser.OTHER)
    return Device(
        browser, next((one for sign, one in _SYSTEMS if sign in user_agent), System.OTHER)
    )
