"""Drawn portraits for synthetic caregivers: flat illustrations that nobody takes for a photo."""

import random

from PIL import Image, ImageDraw

from services.photos import SIDE_PIXELS
from services.recipients import Sex

# Drawn four times as large and then scaled down, so that edges are smooth.
FINER = 4
SIDE = SIDE_PIXELS * FINER
GREY_FROM_YEARS = 55

BACKGROUNDS = ("#F3E3D0", "#E9E4D4", "#DCE8E0", "#F5DED3", "#E3E3EE", "#F0E6C8", "#DDE7EC")
SKINS = (("#F3CFB3", "#E6B796"), ("#EDC3A2", "#DDA985"), ("#F7D8C0", "#EBC0A3"))
HAIRS = ("#2B2523", "#3A2E2A", "#4A3830", "#231F20")
GREYS = ("#8C8A89", "#A7A4A1", "#6F6B69")
CLOTHES = ("#4F7C82", "#B5654A", "#6B7FA3", "#7E9B6B", "#A26A7B", "#C29A52", "#5B6470", "#8A6FA0")
INK = "#3B2F2B"

Box = tuple[float, float, float, float]


def portrait(seed: int, sex: Sex, age: int) -> Image.Image:
    """A friendly face, the same one for the same seed, sex and age in years."""
    chance = random.Random(f"{seed}-{sex}")
    image = Image.new("RGB", (SIDE, SIDE), chance.choice(BACKGROUNDS))
    pen = ImageDraw.Draw(image)
    skin, shade = chance.choice(SKINS)
    hair = chance.choice(GREYS if age >= GREY_FROM_YEARS + chance.randint(-3, 8) else HAIRS)
    # Thin hair is for those who have gone grey.
    cut = chance.choice([one for one in _CUTS[sex] if hair in GREYS or one is not _thin])
    cut(pen, hair, skin, behind=True)
    _shoulders(pen, chance, skin, shade)
    for x in (0.275, 0.665):  # Ears.
        pen.ellipse(_box(x, 0.41, 0.06, 0.1), shade)
    pen.rounded_rectangle(_box(0.295, 0.2, 0.41, 0.49), 0.2 * SIDE, skin)
    cut(pen, hair, skin, behind=False)
    _face(pen, chance, shade, hair, older=age >= GREY_FROM_YEARS - 5)
    if chance.random() < (0.45 if age >= GREY_FROM_YEARS else 0.2):
        _glasses(pen)
    return image.reduce(FINER)


def _box(x: float, y: float, width: float, height: float) -> Box:
    """Left, top, right and bottom in pixels of a box given in parts of the picture."""
    return x * SIDE, y * SIDE, (x + width) * SIDE, (y + height) * SIDE


def _points(*points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * SIDE, y * SIDE) for x, y in points]


def _shoulders(pen: ImageDraw.ImageDraw, chance: random.Random, skin: str, shade: str) -> None:
    cloth, collar = chance.sample(CLOTHES, 2)
    pen.rounded_rectangle(_box(0.13, 0.79, 0.74, 0.5), 0.19 * SIDE, cloth)
    pen.rounded_rectangle(_box(0.415, 0.6, 0.17, 0.24), 0.06 * SIDE, shade)
    match chance.choice(("round", "shirt", "apron")):
        case "round":
            pen.ellipse(_box(0.38, 0.74, 0.24, 0.13), collar)
            pen.ellipse(_box(0.4, 0.72, 0.2, 0.12), shade)
        case "shirt":
            pen.polygon(_points((0.415, 0.78), (0.585, 0.78), (0.5, 0.9)), shade)
            pen.polygon(_points((0.4, 0.76), (0.5, 0.9), (0.4, 0.95), (0.35, 0.8)), "#FBF8F3")
            pen.polygon(_points((0.6, 0.76), (0.5, 0.9), (0.6, 0.95), (0.65, 0.8)), "#FBF8F3")
        case _:
            pen.ellipse(_box(0.4, 0.73, 0.2, 0.12), shade)
            for x in (0.3, 0.64):
                pen.rectangle(_box(x, 0.8, 0.06, 0.2), "#FBF8F3")
            pen.rounded_rectangle(_box(0.3, 0.92, 0.4, 0.2), 0.03 * SIDE, "#FBF8F3")


def _face(
    pen: ImageDraw.ImageDraw, chance: random.Random, shade: str, hair: str, *, older: bool
) -> None:
    eye, line = 0.03, int(0.012 * SIDE)
    smile = chance.uniform(0.1, 0.14)
    for middle in (0.41, 0.59):
        if smile > 0.13:  # A broad smile narrows the eyes.
            pen.arc(_box(middle - 0.03, 0.435, 0.06, 0.05), 200, 340, INK, line)
        else:
            pen.ellipse(_box(middle - eye / 2, 0.435, eye, eye * 1.2), INK)
        pen.arc(_box(middle - 0.045, 0.375, 0.09, 0.06), 210, 330, hair, line)
        pen.ellipse(_box(middle + (middle - 0.5) * 0.4 - 0.035, 0.5, 0.07, 0.045), "#EDA58F")
    pen.arc(_box(0.48, 0.46, 0.045, 0.06), 20, 120, shade, line)
    pen.chord(_box(0.5 - smile / 2, 0.52, smile, 0.085), 10, 170, "#B4523F")
    if older:
        for start, x in ((300, 0.36), (180, 0.57)):
            pen.arc(_box(x, 0.5, 0.07, 0.09), start, start + 60, shade, line // 2)


def _glasses(pen: ImageDraw.ImageDraw) -> None:
    line = int(0.01 * SIDE)
    for x in (0.345, 0.525):
        pen.rounded_rectangle(_box(x, 0.4, 0.13, 0.1), 0.04 * SIDE, None, INK, line)
    pen.line(_points((0.475, 0.44), (0.525, 0.44)), INK, line)


def _cap(pen: ImageDraw.ImageDraw, hair: str, skin: str, hairline: Box) -> None:
    """Hair on the crown and down to the ears, with the forehead cut out of it."""
    pen.pieslice(_box(0.27, 0.125, 0.46, 0.46), 180, 360, hair)
    for x in (0.27, 0.685):
        pen.rounded_rectangle(_box(x, 0.33, 0.045, 0.1), 0.02 * SIDE, hair)
    pen.ellipse(hairline, skin)


def _bun(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if behind:
        pen.ellipse(_box(0.4, 0.03, 0.2, 0.19), hair)
    else:
        _cap(pen, hair, skin, _box(0.305, 0.245, 0.39, 0.3))


def _bob(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if behind:
        pen.rounded_rectangle(_box(0.235, 0.14, 0.53, 0.49), 0.2 * SIDE, hair)
    else:
        _cap(pen, hair, skin, _box(0.36, 0.265, 0.37, 0.25))


def _long(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if behind:
        pen.rounded_rectangle(_box(0.225, 0.14, 0.55, 0.7), 0.22 * SIDE, hair)
    else:
        _cap(pen, hair, skin, _box(0.27, 0.265, 0.38, 0.25))


def _curls(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if behind:
        for x, y in ((0.2, 0.24), (0.21, 0.36), (0.62, 0.24), (0.61, 0.36), (0.3, 0.1), (0.5, 0.1)):
            pen.ellipse(_box(x, y, 0.19, 0.19), hair)
        pen.ellipse(_box(0.38, 0.06, 0.24, 0.2), hair)
    else:
        _cap(pen, hair, skin, _box(0.31, 0.26, 0.38, 0.26))


def _short(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if not behind:
        _cap(pen, hair, skin, _box(0.305, 0.275, 0.39, 0.28))
        pen.rounded_rectangle(_box(0.33, 0.125, 0.36, 0.12), 0.06 * SIDE, hair)


def _parted(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if not behind:
        _cap(pen, hair, skin, _box(0.3, 0.235, 0.42, 0.33))
        pen.pieslice(_box(0.3, 0.13, 0.42, 0.3), 150, 300, hair)


def _thin(pen: ImageDraw.ImageDraw, hair: str, skin: str, *, behind: bool) -> None:
    if not behind:
        _cap(pen, hair, skin, _box(0.3, 0.185, 0.4, 0.4))


_CUTS = {Sex.FEMALE: (_bun, _bob, _long, _curls), Sex.MALE: (_short, _parted, _thin)}
