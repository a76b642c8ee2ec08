"""Whether a request comes from a page of ours."""

from urllib.parse import urlsplit

from starlette.requests import Request


def is_ours(request: Request) -> bool:
    """True when the browser says so; a request that carries neither header is not ours.

    Sec-Fetch-Site cannot be set by scripts, but browsers send it to trustworthy addresses only
    (https, localhost); Origin comes with every POST. The host alone is compared, as Streamlit does
    for its websocket: behind a proxy that ends TLS the scheme differs.
    """
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def leads_from_ours(request: Request) -> bool:
    """True when a link on a page of ours led here; an address typed or sent by others does not.

    A link sends no Origin. Where Sec-Fetch-Site is missing too, the referrer tells: our pages name
    themselves to us (Referrer-Policy: same-origin), and nobody else can name us.
    """
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    return urlsplit(request.headers.get("referer", "")).netloc == request.headers.get("host")
