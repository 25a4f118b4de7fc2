"""What is said of a media worker's parts, for people (pure)."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping, Sequence

from django.utils.translation import gettext, ngettext

from rostra.fabric.status import MediaNode

COLUMNS = {
    "in": 0, "decoder": 1, "scaling": 2, "composition": 3, "mix": 3, "encoder": 4, "forwarded": 4, "out": 5,
}  # fmt: skip
"""Where each kind is drawn."""
_SLIDES = ":slides"
"""Ends the name of a source that is somebody's presentation (see `domain.presenting`)."""
_SHORT = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Who:
    """Whose call it is."""

    name: str
    role: str = ""
    """`chair`, `guest` or unknown."""


def heads() -> tuple[str, ...]:
    """Of the columns."""
    return (
        gettext("Far ends, received"),
        gettext("Decoders"),
        gettext("Scalings"),
        gettext("Pictures and mixes"),
        gettext("Encoders and forwarded"),
        gettext("Far ends, sent"),
    )


def kind(value: str, count: int) -> str:
    """What a thing is called, or that many of it."""
    texts = {
        "in": ngettext("Far end", "Far ends", count),
        "decoder": ngettext("Decoder", "Decoders", count),
        "scaling": ngettext("Scaling", "Scalings", count),
        "mix": ngettext("Mix", "Mixes", count),
        "composition": ngettext("Picture", "Pictures", count),
        "encoder": ngettext("Encoder", "Encoders", count),
        "forwarded": ngettext("Forwarded stream", "Forwarded streams", count),
        "out": ngettext("Leg", "Legs", count),
    }
    return texts[value]


def state(value: str, *, running: bool) -> str:
    """Whether it is at work."""
    if running:
        return gettext("running")
    return gettext("idle: nobody sees it") if value == "decoder" else gettext("idle")


def make(node: MediaNode, people: Mapping[str, Who]) -> Hashable:
    """What makes two of a kind alike, their ties aside."""
    told = node.detail
    if node.kind in ("in", "out"):
        who = people.get(node.name)
        return node.kind, who.role if who else None
    sizes = tuple(told.get(name) for name in ("codec", "width", "height", "frame_rate", "bitrate"))
    return node.kind, node.running, sizes, node.name.split(" ")[0] if node.kind == "decoder" else ""


def described(group: Sequence[MediaNode], people: Mapping[str, Who]) -> tuple[str, str]:
    """Title and facts of one, or of several alike."""
    first = group[0]
    if first.kind in ("in", "out"):
        return _of_people(group, people)
    if len(group) > 1:
        return f"{len(group)} {kind(first.kind, len(group))}", _facts(first, shared=sum(one.users for one in group))
    whose = _whose(str(first.detail.get("source", "")), people)
    codec = str(first.detail.get("codec", "") or first.name.split(" ")[0])
    titles = {
        "decoder": f"{codec} · {whose}" if whose and codec != first.detail.get("source") else whose or codec,
        "scaling": f"{_size(first)} · {whose}" if whose else _size(first),
        "composition": f"{gettext('Picture')} {_size(first)}".strip(),
        "mix": gettext("Mix"),
        "encoder": f"{codec} {_size(first)}".strip(),
        "forwarded": whose or gettext("Forwarded"),
    }
    return titles[first.kind], _facts(first, shared=first.users)


def _of_people(group: Sequence[MediaNode], people: Mapping[str, Who]) -> tuple[str, str]:
    known = [people[node.name] for node in group if node.name in people]
    if len(group) == 1:
        return (known[0].name if known else gettext("link %(id)s") % {"id": group[0].name[:_SHORT]}), _roles(known)
    n = len(group)
    roles = {one.role for one in known}
    if not known:
        title = ngettext("%(n)s link", "%(n)s links", n)
    elif roles == {"guest"}:
        title = ngettext("%(n)s Guest", "%(n)s Guests", n)
    elif roles == {"chair"}:
        title = ngettext("%(n)s Host", "%(n)s Hosts", n)
    else:
        title = ngettext("%(n)s participant", "%(n)s participants", n)
    names = ", ".join(one.name for one in known[:2])
    return title % {"n": n}, f"{names} …" if len(known) > 2 else names


def _roles(known: Sequence[Who]) -> str:
    names = {"guest": gettext("Guest"), "chair": gettext("Host")}
    return names.get(known[0].role, "") if known else ""


def _facts(node: MediaNode, *, shared: int) -> str:
    told = node.detail
    found: list[str] = []
    if node.kind in ("composition", "encoder") and told.get("frame_rate"):
        found.append(gettext("%(rate)s/s") % {"rate": told["frame_rate"]})
    if node.kind == "encoder" and told.get("bitrate"):
        found.append(bitrate(int(told["bitrate"])))
    if node.kind in ("encoder", "forwarded") and shared:
        found.append(legs(shared))
    elif node.kind == "forwarded":
        found.append(gettext("not transcoded"))
    return " · ".join(found)


def legs(count: int) -> str:
    """That many of them."""
    return ngettext("%(n)s leg", "%(n)s legs", count) % {"n": count}


def bitrate(value: int) -> str:
    """Bit/s for people."""
    return f"{value / 1e6:.1f} Mbit/s" if value >= 1_000_000 else f"{value // 1000} kbit/s"


def summary(nodes: Iterable[MediaNode], edges: Iterable[tuple[str, str]]) -> str:
    """A line of counts."""
    kinds = {node.id: node.kind for node in nodes}
    count = {name: sum(value == name for value in kinds.values()) for name in COLUMNS}
    idle = sum(node.kind == "decoder" and not node.running for node in nodes)
    served = len({target for origin, target in edges if kinds[origin] == "encoder" and kinds[target] == "out"})
    parts = [
        legs(count["out"]),
        ngettext("%(n)s decoder", "%(n)s decoders", count["decoder"]) % {"n": count["decoder"]},
        ngettext("%(n)s picture composed", "%(n)s pictures composed", count["composition"])
        % {"n": count["composition"]},
        gettext("%(encoders)s for %(legs)s")
        % {
            "encoders": ngettext("%(n)s encoder", "%(n)s encoders", count["encoder"]) % {"n": count["encoder"]},
            "legs": legs(served),
        },
    ]
    if idle:
        parts[1] += gettext(" (%(n)s idle)") % {"n": idle}
    if count["forwarded"]:
        parts.append(
            ngettext("%(n)s stream forwarded", "%(n)s streams forwarded", count["forwarded"])
            % {"n": count["forwarded"]}
        )
    parts.append(ngettext("%(n)s mix", "%(n)s mixes", count["mix"]) % {"n": count["mix"]})
    return ", ".join(parts)


def _size(node: MediaNode) -> str:
    wide, high = node.detail.get("width"), node.detail.get("height")
    return f"{wide}×{high}" if wide and high else ""


def _whose(source: str, people: Mapping[str, Who]) -> str:
    call = source.removesuffix(_SLIDES)
    who = people.get(call)
    name = who.name if who else call[:_SHORT]
    return gettext("slides of %(name)s") % {"name": name} if call != source else name
