"""Simple icons of lines and discs, drawn into a square of 24 by 24."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

import cairo

Colour = tuple[float, float, float]


class Icon(enum.Enum):
    """What can be drawn."""

    SEATS = enum.auto()
    BADGE = enum.auto()
    BADGE_CROSSED = enum.auto()
    PERSON = enum.auto()
    PEOPLE = enum.auto()
    PHONE = enum.auto()
    CAMERA = enum.auto()
    CAMERA_CROSSED = enum.auto()
    SCREEN_CROSSED = enum.auto()
    CLOCK = enum.auto()
    ARROW = enum.auto()
    KEYPAD = enum.auto()
    LOCK = enum.auto()
    STREAM = enum.auto()


def draw_icon(context: cairo.Context, icon: Icon, x: float, y: float, size: float, colour: Colour) -> None:
    """Draw an icon around a point."""
    context.save()
    context.push_group()
    context.translate(x - size / 2, y - size / 2)
    context.scale(size / 24, size / 24)
    context.set_source_rgb(*colour)
    context.set_line_width(1.7)
    context.set_line_cap(cairo.LINE_CAP_ROUND)
    context.set_line_join(cairo.LINE_JOIN_ROUND)
    _DRAWN[icon](context)
    context.pop_group_to_source()
    context.paint()
    context.restore()


def _disc(context: cairo.Context, x: float, y: float, radius: float) -> None:
    context.new_sub_path()
    context.arc(x, y, radius, 0, 2 * math.pi)
    context.fill()


def _ring(context: cairo.Context, x: float, y: float, radius: float) -> None:
    context.new_sub_path()
    context.arc(x, y, radius, 0, 2 * math.pi)
    context.stroke()


def _line(context: cairo.Context, *points: tuple[float, float]) -> None:
    context.move_to(*points[0])
    for point in points[1:]:
        context.line_to(*point)
    context.stroke()


def _box(context: cairo.Context, x: float, y: float, width: float, height: float, radius: float) -> None:
    context.new_sub_path()
    for at, (right, low) in enumerate(((True, False), (True, True), (False, True), (False, False))):
        context.arc(
            x + width - radius if right else x + radius, y + height - radius if low else y + radius, radius,
            (at - 1) * math.pi / 2, at * math.pi / 2,
        )  # fmt: skip
    context.close_path()


def _crossed(context: cairo.Context) -> None:
    """A line from corner to corner, with room around it."""
    context.save()
    context.set_operator(cairo.OPERATOR_CLEAR)
    context.set_line_width(4.6)
    _line(context, (3.5, 3.5), (20.5, 20.5))
    context.restore()
    _line(context, (3.5, 3.5), (20.5, 20.5))


def _seats(context: cairo.Context) -> None:
    for row in range(3):
        for seat in range(3):
            _disc(context, 5.5 + seat * 6.5, 5.5 + row * 6.5, 2.3)


def _badge(context: cairo.Context) -> None:
    _box(context, 3.5, 5.5, 17, 13, 2.2)
    context.stroke()
    _disc(context, 8.6, 10.6, 1.9)
    context.arc(8.6, 15.6, 3.2, math.pi, 2 * math.pi)
    context.fill()
    _line(context, (14.2, 10), (17.4, 10))
    _line(context, (14.2, 13.6), (17.4, 13.6))


def _badge_crossed(context: cairo.Context) -> None:
    _badge(context)
    _crossed(context)


def _figure(context: cairo.Context, x: float, y: float, scale: float) -> None:
    _disc(context, x, y, 3.4 * scale)
    context.arc(x, y + 11 * scale, 6.4 * scale, math.pi, 2 * math.pi)
    context.close_path()
    context.fill()


def _person(context: cairo.Context) -> None:
    _figure(context, 12, 8, 1.1)


def _people(context: cairo.Context) -> None:
    context.push_group()
    _figure(context, 5.6, 9.2, 0.72)
    _figure(context, 18.4, 9.2, 0.72)
    context.pop_group_to_source()
    context.paint_with_alpha(0.65)
    context.set_source_rgb(0.96, 0.95, 0.93)
    _figure(context, 12, 9, 0.98)


def _phone(context: cairo.Context) -> None:
    context.save()
    context.translate(12, 12)
    context.rotate(-math.pi * 0.75)
    context.set_line_width(3)
    context.arc(0, 8.5, 11, math.pi * 1.5 - 0.62, math.pi * 1.5 + 0.62)
    context.stroke()
    for side in (-1, 1):
        _box(context, side * 6.9 - 2.5, -1.8, 5, 5.6, 1.4)
        context.fill()
    context.restore()


def _camera(context: cairo.Context) -> None:
    _box(context, 2.8, 6.4, 12.6, 11.2, 2.2)
    context.stroke()
    context.move_to(15.4, 10.6)
    context.line_to(21, 7.2)
    context.line_to(21, 16.8)
    context.line_to(15.4, 13.4)
    context.stroke()


def _camera_crossed(context: cairo.Context) -> None:
    _camera(context)
    _crossed(context)


def _screen_crossed(context: cairo.Context) -> None:
    _box(context, 2.8, 4.6, 18.4, 12, 1.6)
    context.stroke()
    _line(context, (12, 16.6), (12, 19.6))
    _line(context, (8, 19.8), (16, 19.8))
    _crossed(context)


def _clock(context: cairo.Context) -> None:
    _ring(context, 12, 12, 9)
    _line(context, (12, 6.6), (12, 12), (15.8, 14.4))


def _arrow(context: cairo.Context) -> None:
    _line(context, (3.6, 12), (20, 12))
    _line(context, (13.6, 5.6), (20, 12), (13.6, 18.4))


def _keypad(context: cairo.Context) -> None:
    for row in range(4):
        for column in range(3):
            _disc(context, 6.4 + column * 5.6, 3.6 + row * 5.6, 1.7)


def _lock(context: cairo.Context) -> None:
    _box(context, 5, 10.4, 14, 10, 2)
    context.stroke()
    context.move_to(8, 10.4)
    context.line_to(8, 7.6)
    context.arc(12, 7.6, 4, math.pi, 2 * math.pi)
    context.line_to(16, 10.4)
    context.stroke()
    _disc(context, 12, 15.4, 1.6)


def _stream(context: cairo.Context) -> None:
    _disc(context, 12, 12, 2.8)
    for radius in (6, 9.6):
        for side in (0, math.pi):
            context.new_sub_path()
            context.arc(12, 12, radius, side - 0.75, side + 0.75)
            context.stroke()


_DRAWN: dict[Icon, Callable[[cairo.Context], None]] = {
    Icon.SEATS: _seats,
    Icon.BADGE: _badge,
    Icon.BADGE_CROSSED: _badge_crossed,
    Icon.PERSON: _person,
    Icon.PEOPLE: _people,
    Icon.PHONE: _phone,
    Icon.CAMERA: _camera,
    Icon.CAMERA_CROSSED: _camera_crossed,
    Icon.SCREEN_CROSSED: _screen_crossed,
    Icon.CLOCK: _clock,
    Icon.ARROW: _arrow,
    Icon.KEYPAD: _keypad,
    Icon.LOCK: _lock,
    Icon.STREAM: _stream,
}
