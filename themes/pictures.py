"""The pictures, drawn in the web app's colours (web/src/styles/tokens.css)."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import cairo
from icons import Icon, draw_icon
from PIL import Image

from rostra.domain import theme
from rostra.management.themes import pinscreens

Colour = tuple[float, float, float]


def rgb(text: str) -> Colour:
    """A colour such as 0f6b68."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


STAGE, DEEP, TEAL, BRIGHT = rgb("0b0f15"), rgb("0d2a2e"), rgb("0f6b68"), rgb("3fb5ae")
AMBER, PAPER, SOFT = rgb("f4b95f"), rgb("f5f3ee"), rgb("b9c3c9")
FONT = "Roboto"
WIDTH, HEIGHT = theme.SCREEN
DISC_Y, DISC = 330, 138
TITLE_Y, LINE_Y = 580, 664

AGAIN = "Please try again later"
SCREENS: dict[str, tuple[Icon, Colour, str, str]] = {
    theme.CAPACITY_EXCEEDED_IMAGE: (Icon.SEATS, AMBER, "There is no room at the moment", AGAIN),
    theme.INSUFFICIENT_LICENSE_IMAGE: (Icon.BADGE, AMBER, "All call licenses are in use", AGAIN),
    theme.INVALID_LICENSE_IMAGE: (
        *(Icon.BADGE_CROSSED, AMBER),
        *("There is no valid license", "Please tell your administrator"),
    ),
    theme.NO_OTHERS: (Icon.PERSON, BRIGHT, "You are the only one here", "Others will appear as they join"),
    theme.NO_OTHER_VIDEO: (Icon.PHONE, BRIGHT, "Nobody else sends video", "You can talk to each other"),
    theme.NO_VIDEO_LICENSE: (
        *(Icon.CAMERA_CROSSED, AMBER),
        *("You are connected with sound only", "All video licenses are in use"),
    ),
    theme.TEST_CALL_IMAGE: (Icon.CAMERA, BRIGHT, "Test call", "Look into the camera and count aloud to three"),
    theme.TEST_CALL_DISCONNECT_IMAGE: (
        *(Icon.PHONE, BRIGHT),
        *("The test is over", "If anything was wrong, check your settings"),
    ),
    theme.TIMED_OUT: (Icon.CLOCK, AMBER, "No valid number was entered", "You will be disconnected"),
    theme.TRANSFER: (Icon.ARROW, BRIGHT, "Connecting you", ""),
    theme.RECEPTION: (Icon.KEYPAD, BRIGHT, "Where would you like to go?", "Enter the number, followed by #"),
    theme.RECEPTION_INVALID: (Icon.KEYPAD, AMBER, "This number is not valid", "Please try again"),
    theme.WAITING_FOR_HOST: (
        *(Icon.CLOCK, BRIGHT),
        *("Waiting for the Host", "The conference begins when the Host is here"),
    ),
}
GRAPHICS = {theme.NO_OTHERS: Icon.PERSON, theme.NO_OTHER_VIDEO: Icon.PHONE}


def graphics() -> Iterator[tuple[str, bytes]]:
    """What designers can lay over a background of their own (REF-022)."""
    for name, icon in GRAPHICS.items():
        for shade, colour in (("white", (1.0, 1.0, 1.0)), ("black", (0.0, 0.0, 0.0))):
            surface, context = _surface(theme.SCREEN, cairo.FORMAT_ARGB32)
            draw_icon(context, icon, WIDTH / 2, DISC_Y, 2 * 132, colour)
            yield f"{name.removesuffix('.jpg')}_{shade}.png", _png(surface)


def all_pictures() -> Iterator[tuple[str, bytes]]:
    """All images by name."""
    for name, (icon, colour, title, line) in SCREENS.items():
        yield name, _jpeg(_screen(icon, colour, title, line))
    behind = _jpeg(_screen(Icon.LOCK, BRIGHT, "Please enter your PIN", ""), quality=96)
    for name, data in pinscreens.generate(behind, (244, 185, 95)):
        yield name, data
    yield theme.TEST_CALL_RECORDING, _jpeg(_recording())
    yield theme.PLUS_N, _jpeg(_background(calm=True))
    yield theme.AVATAR_IMAGE, _jpeg(_avatar(), quality=92)
    yield theme.AUDIO_INDICATOR, _png(_round(theme.INDICATOR, Icon.PHONE))
    yield theme.STREAMING_INDICATOR, _png(_round(theme.INDICATOR, Icon.STREAM))
    yield theme.NO_INCOMING_VIDEO, _png(_bare(theme.ICON, Icon.CAMERA_CROSSED))
    yield theme.NO_MAIN_VIDEO, _png(_bare(theme.ICON, Icon.CAMERA_CROSSED))
    yield theme.NO_PRESENTATION, _png(_bare(theme.ICON, Icon.SCREEN_CROSSED))
    yield theme.WATERMARK_ICON, _png(_watermark())


# ---- screens


def _surface(
    size: tuple[int, int], kind: cairo.Format = cairo.FORMAT_RGB24
) -> tuple[cairo.ImageSurface, cairo.Context]:
    surface = cairo.ImageSurface(kind, *size)
    return surface, cairo.Context(surface)


def _background(*, calm: bool = False) -> cairo.ImageSurface:
    """Rows of seats around a stage, as seen from above, in the dusk."""
    surface, context = _surface(theme.SCREEN)
    dusk = cairo.LinearGradient(0, 0, 0, HEIGHT)
    dusk.add_color_stop_rgb(0, *DEEP)
    dusk.add_color_stop_rgb(0.75, *STAGE)
    context.set_source(dusk)
    context.paint()
    glow = cairo.RadialGradient(WIDTH / 2, HEIGHT + 260, 120, WIDTH / 2, HEIGHT + 260, 1250)
    glow.add_color_stop_rgba(0, *BRIGHT, 0.0 if calm else 0.34)
    glow.add_color_stop_rgba(1, *BRIGHT, 0)
    context.set_source(glow)
    context.paint()
    for row in range(9):
        radius = 330 + row * 128
        context.set_line_width(46)
        context.set_line_cap(cairo.LINE_CAP_ROUND)
        for seats in range(3):  # aisles part the rows
            begin = math.pi + 0.12 + seats * (math.pi - 0.24) / 3
            context.arc(WIDTH / 2, HEIGHT + 260, radius, begin + 0.035, begin + (math.pi - 0.24) / 3 - 0.035)
            context.set_source_rgba(*BRIGHT, max(0.012, (0.05 if calm else 0.085) - row * 0.008))
            context.stroke()
    return surface


def _screen(icon: Icon, colour: Colour, title: str, line: str) -> cairo.ImageSurface:
    surface = _background()
    context = cairo.Context(surface)
    context.arc(WIDTH / 2, DISC_Y, DISC, 0, 2 * math.pi)
    context.set_source_rgba(*colour, 0.16)
    context.fill_preserve()
    context.set_source_rgba(*colour, 0.75)
    context.set_line_width(3)
    context.stroke()
    draw_icon(context, icon, WIDTH / 2, DISC_Y, 132, colour)
    _text(context, title, TITLE_Y, 80, PAPER)
    _text(context, line, LINE_Y, 50, SOFT)
    return surface


def _recording() -> cairo.ImageSurface:
    surface = _background()
    context = cairo.Context(surface)
    _text(context, "This is how others see and hear you", 106, 52, PAPER)
    context.set_source_rgba(*BRIGHT, 0.5)
    context.set_line_width(4)
    context.rectangle(282, 156, WIDTH - 564, HEIGHT - 312)
    context.stroke()
    return surface


def _text(context: cairo.Context, text: str, y: float, size: float, colour: Colour) -> None:
    context.select_font_face(FONT, cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_NORMAL)
    context.set_font_size(size)
    bearing, _, width, *_ = context.text_extents(text)
    context.move_to(WIDTH / 2 - width / 2 - bearing, y)
    context.set_source_rgb(*colour)
    context.show_text(text)


# ---- small ones


def _avatar() -> cairo.ImageSurface:
    surface, context = _surface(theme.AVATAR)
    fill = cairo.LinearGradient(0, 0, 0, 128)
    fill.add_color_stop_rgb(0, *rgb("14817d"))
    fill.add_color_stop_rgb(1, *rgb("0b5451"))
    context.set_source(fill)
    context.paint()
    draw_icon(context, Icon.PEOPLE, 64, 64, 74, PAPER)
    return surface


def _round(size: tuple[int, int], icon: Icon) -> cairo.ImageSurface:
    surface, context = _surface(size, cairo.FORMAT_ARGB32)
    middle = size[0] / 2
    context.arc(middle, middle, middle - 2, 0, 2 * math.pi)
    context.set_source_rgba(*rgb("141a23"), 0.82)
    context.fill()
    draw_icon(context, icon, middle, middle, size[0] * 0.56, PAPER)
    return surface


def _bare(size: tuple[int, int], icon: Icon) -> cairo.ImageSurface:
    surface, context = _surface(size, cairo.FORMAT_ARGB32)
    draw_icon(context, icon, size[0] / 2, size[1] / 2, size[0] * 0.62, rgb("a3adbb"))
    return surface


def _watermark() -> cairo.ImageSurface:
    surface, context = _surface(theme.WATERMARK, cairo.FORMAT_ARGB32)
    context.push_group()
    for row in range(3):
        context.set_line_width(6)
        context.set_line_cap(cairo.LINE_CAP_ROUND)
        context.arc(32, 62, 8 + row * 11, math.pi + 0.15, 2 * math.pi - 0.15)
        context.set_source_rgb(1, 1, 1)
        context.stroke()
    context.select_font_face(FONT, cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_BOLD)
    context.set_font_size(38)
    context.move_to(74, 64)
    context.show_text("Rostra")
    context.pop_group_to_source()
    context.paint_with_alpha(0.6)
    return surface


# ---- files


def _image(surface: cairo.ImageSurface, mode: str) -> Image.Image:
    out = io.BytesIO()
    surface.write_to_png(out)
    return Image.open(io.BytesIO(out.getvalue())).convert(mode)


def _jpeg(surface: cairo.ImageSurface, quality: int = 88) -> bytes:
    out = io.BytesIO()
    _image(surface, "RGB").save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _png(surface: cairo.ImageSurface) -> bytes:
    out = io.BytesIO()
    _image(surface, "RGBA").save(out, "PNG", optimize=True)
    return out.getvalue()
