"""The page for administrators on capacity, written from results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.capacity.figures import Figure, Results, Run, cells, shown

PATH = Path(__file__).resolve().parents[2] / "docs" / "admin" / "capacity.md"
_FULL = 0.8
"""Share of a processor that is planned with."""
_CORES = (2, 4, 8, 16)

_HEAD = """\
# Capacity

How many calls a Conferencing Node carries, what they cost, and how to find out for a machine of your own. How a node
decides whether it takes one more call is in [Admission and capacity](admission.md).
"""
_MEASURED = """\
## What was measured

On {date}, on {cores} cores ({model}), by a load in a process of its own that calls the node as endpoints do: SIP with
RTP and SRTP, WebRTC with ICE and DTLS-SRTP. Everybody sends real footage of 1280x720 at 30 frames a second and
1.5 Mbit/s, already encoded, or speech. Only the processor time of the node and its media workers counts, not that of
the load.

A run counts only if **every** receiver gets at least 29 frames a second and no gap of sound over 40 ms while somebody
speaks, and the decoded pictures are like the ideal composition of the original footage (SSIM of the luma at least
0.93).
"Ratio" is how many times better than wanted the figure is. "vCPU" is one core of this machine, used to the full.
"""
_METHOD = """\
Picture gaps are counted from complete frames; sound is played by the time its packets bear, 0.1 s after the quickest.
SSIM is taken every half second, from 1.5 s after a change of speakers on, on up to eight receivers of a kind of call.
The codec floor is what decoding the same streams once and encoding the composed picture once costs for each call, alone
in a process, with the node's elements and settings.
"""
_PLANNING = """\
## Planning

Calls that so many cores like these carry, with the processor used to {full:.0%}, so that short peaks do no harm. For
other numbers of cores than were measured they follow in proportion:

{calls}

Of the network, one HD call takes up to 1.6 Mbit/s each way, an audio-only call with Opus about 50 kbit/s and with G.711
about 80 kbit/s each way, with the headers of IP, UDP and RTP. A node that hosts a whole conference needs that times its
calls in each direction, and for each other node in the conference one HD stream more.
{memory}
## What makes calls cheaper

- **Who sees the same shares an encoder.** In an auditorium all guests see the Host: they cost little more than sending.
  In a meeting nobody sees himself, so each of those who are seen largest has a picture of his own.
- **Legs that agree on a codec.** Where one source fills a picture with nothing drawn over it (a gateway call; with a
  [theme](themes.md) without watermark also guests who see one Host) and the receiver takes the source's codec at its
  size and bit rate, the stream is sent on as it came and neither decoded nor encoded.
- **H.264 rather than VP8**, where endpoints take both: it is the cheaper of the two to encode at the same likeness.
- **Less than HD.** A service with the quality SD, or a call with a bandwidth limit, is sent smaller pictures.
- **Audio-only calls where nobody looks.** Who does not speak costs the transport of packets, and shares an encoder with
  all others who hear the same.
{forwarded}
## On your own machine

`make bench` (about ten minutes, nothing else running) measures this table and writes this page anew; single rows are
measured with `python -m bench.capacity hd audio`. Against a node that runs elsewhere, the load calls by itself and says
what it got:

```
python -m bench.load --sip 192.0.2.5:5060 --alias meet.demo --calls 8 --protocol srtp --seconds 20
python -m bench.load --sip 192.0.2.5:5060 --web https://192.0.2.5 --alias meet.demo --protocol webrtc --picture VP8
```

This page is written from the newest file in `bench/results` (`python -m bench.capacity --page`).

A node measures at every start how many calls its machine carries, and refuses those beyond; `ROSTRA_CAPACITY` states it
instead.
"""


def write(results: Results) -> None:
    PATH.write_text(text(results))


def text(results: Results) -> str:
    """The whole page."""
    machine = results.machine
    parts = [
        _HEAD,
        _MEASURED.format(date=results.date, cores=machine.cores, model=machine.model),
        markdown(cells(results.figures)),
        "",
        "![Each figure against what is wanted of it, and the cost of a call by the size of a meeting]"
        "(images/capacity.svg)\n",
        _METHOD,
        _runs(results.figures),
        _PLANNING.format(
            full=_FULL, calls=_calls(results), memory=_memory(results), forwarded=_forwarded(results)
        ),
    ]  # fmt: skip
    return "\n".join(parts)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _runs(figures: Sequence[Figure]) -> str:
    heads = (
        "Run",
        "Cores",
        "Thousandths of a core a call",
        "Calls a core",
        "Frames/s",
        "SSIM",
        "Gap of sound",
        "Counts",
    )
    parts = ["### Runs\n"]
    for figure in figures:
        if figure.runs:
            parts += [f"{figure.title}:\n", markdown([heads, *(_run(one) for one in figure.runs)]), ""]
        parts += [f"- {note}" for note in figure.notes]
        parts += [""] if figure.notes else []
    return "\n".join(parts)


def _run(one: Run) -> tuple[str, ...]:
    report = one.report
    frames, likeness = report["frames_per_second"], report["ssim"]
    return (
        one.name, f"{one.cores:.2f}", f"{1000 * one.per_call:.1f}", f"{one.per_core:.1f}",
        f"{frames:.1f}" if frames else "-", f"{likeness:.3f}" if likeness else "-",
        f"{report['longest_gap_ms']:.0f} ms", "yes" if one.valid else "no: " + "; ".join(report["reasons"]),
    )  # fmt: skip


def _calls(results: Results) -> str:
    kinds = (("hd", "HD, everybody composed"), ("auditorium", "HD guests of an auditorium"), ("audio", "Audio only"))
    rows = [("Cores", *(name for _, name in kinds))]
    for cores in _CORES:
        row = [str(cores)]
        for key, _ in kinds:
            figure = results.figure(key)
            value = figure.value if figure else None
            row.append(str(int(value * cores * _FULL)) if value else "not measured")
        rows.append(tuple(row))
    return markdown(rows)


def _memory(results: Results) -> str:
    found = {key: results.figure(f"memory-{key}") for key in ("hd", "audio")}
    said = [
        f"{shown(one.value)} MB for each {'HD' if key == 'hd' else 'audio-only'} call"
        for key, one in found.items()
        if one and one.value
    ]
    runs = [one for figure in results.figures for one in figure.runs]
    if not said or not runs:
        return ""
    idle = min(one.memory_before for one in runs) / 1e6
    return f"\nMemory: {shown(idle)} MB of a node without calls, and {', '.join(said)}.\n"


def _forwarded(results: Results) -> str:
    figure = results.figure("forwarded")
    if figure is None or not figure.runs:
        return ""
    rows = [("The same meeting", "Thousandths of a core a call")]
    rows += [(one.name, f"{1000 * one.per_call:.1f}") for one in figure.runs]
    return f"\n{markdown(rows)}\n"
