"""Fragments of pipelines: how media goes from the network to the stage and from the stage to the network.

Codec parts come from the rows; the rest is the same for all of them. Queues are short and drop rather than
grow: being late is worse than losing a picture, and a lost one costs a key frame request.
"""

from __future__ import annotations

import secrets
import struct
import time
from typing import Any

from rostra.media.codecs.row import CodecRow
from rostra.media.engine import guard
from rostra.media.engine.gst import Gst
from rostra.media.engine.pace import Pace
from rostra.media.engine.pipeline import elements_with, make_bin
from rostra.media.engine.rungs import Rung

PACKET = 1200
"""Bytes of an RTP packet: fits every usual path with SRTP and tunnels."""
PAYLOAD = 1100
"""Bytes an encoder may put into one unit that must not be split over packets."""

FRAME = "rostra-frame"
"""Name of the message with a frame that moves a camera: its hexadecimal `octets`, after an x."""
_LONGEST = 512

VIDEO_GATE = "rostravideogate name=look"
VIDEO_SINK = "rostravideosink name=stage"
VIDEO_SOURCE = "rostravideosrc name=stage"
AUDIO_SINK = "rostraaudiosink name=stage"
AUDIO_SOURCE = "rostraaudiosrc name=stage"
PUBLISH = "rostrapub name=publish"
SUBSCRIBE = "rostrasub name=stage"
SHARING = "rostrafan name=stage"
PACE = "rostrapace name=pace"

_QUEUE = "queue leaky=downstream max-size-buffers=0 max-size-bytes=0 max-size-time={milliseconds}000000"


def receive_video(row: CodecRow, source: str, name: str, channel: str, *, standby: bool = False) -> Any:
    """RTP in, the picture on the stage, and as it came on a channel, for who passes it on.

    A `standby` is shown only while no other branch has pictures of the same source. Decoded is what somebody looks
    at, where packets tell which pictures need no others. Behind the gate `look` (shut it) and the valve `passing`.
    """
    waits = f"standby={str(standby).lower()}"
    made = make_bin(
        f"{row.depayloader} name=packets ! tee name=split ! "
        f"{VIDEO_GATE} {waits} always={str(not row.resyncs).lower()} ! "
        f"{_QUEUE.format(milliseconds=500)} ! {PACE} keys={str(row.resyncs).lower()} ! {row.decoder} ! videoconvert ! "
        f"video/x-raw,format=I420 ! {VIDEO_SINK} {waits} "
        f"split. ! valve name=passing ! {PUBLISH}",
        name,
    )
    _name(made, "source", source)
    made.get_by_name("look").set_property("source", source)
    made.get_by_name("publish").set_property("channel", channel)
    guard.put_on_pictures(made.get_by_name("packets"), row.name)
    for decoder in elements_with(made, "automatic-request-sync-points"):
        decoder.set_property("automatic-request-sync-points", row.resyncs)
        decoder.set_property("max-errors", -1)
    return made


def hold(made: Any, milliseconds: int) -> None:
    """Have a branch of pictures show each so long after its time; 0: as soon as it is there."""
    pace = made.get_by_name("pace")
    if pace is not None:
        pace.set_property("delay", milliseconds)


def receive_audio(row: CodecRow, source: str, name: str, *, prompt: bool = False) -> Any:
    """RTP in, the voice on the stage.

    With `prompt` nothing waits for the redundancy in the next packet: a packet's time less delay, a lost one is
    concealed.
    """
    made = make_bin(
        f"{row.depayloader} ! {row.decoder} ! audioconvert ! audioresample quality=2 ! "
        f"audio/x-raw,format=S16LE,rate=48000,channels=1 ! valve name=gate ! "
        f"{AUDIO_SINK} even={str(not prompt).lower()}",
        name,
    )
    _name(made, "source", source)
    for decoder in elements_with(made, "max-errors"):
        decoder.set_property("max-errors", -1)
    for decoder in elements_with(made, "use-inband-fec") if prompt else ():
        decoder.set_property("use-inband-fec", False)
    return made


def receive_events(name: str) -> Any:
    """Telephone events in; each press is posted on the bus."""
    return make_bin("rtpdtmfdepay ! fakesink async=false sync=false", name)


def receive_frames(name: str) -> Any:
    """Frames that move cameras in; each is posted on the bus as `FRAME`, as long as they are as short and as few as
    those are."""
    made = make_bin("fakesink name=frames signal-handoffs=true async=false sync=false", name)
    pace = Pace()

    def came(element: Any, buffer: Any, _: Any) -> None:
        if not pace.allows(time.monotonic()):
            return
        packet: bytes = buffer.extract_dup(0, min(buffer.get_size(), _LONGEST))
        head = 12 + 4 * (packet[0] & 0x0F) if len(packet) >= 12 else len(packet)
        structure = Gst.Structure.new_from_string(f"{FRAME},octets=(string)x{packet[head:].hex()}")
        element.post_message(Gst.Message.new_element(element, structure))

    made.get_by_name("frames").connect("handoff", came)
    return made


def send_frames(row: CodecRow, payload_type: int, name: str) -> Any:
    """Frames that move cameras out (`push_frame` of its element `frames`), behind the valve `gate`."""
    made = make_bin(
        "appsrc name=frames is-live=true do-timestamp=true format=time max-buffers=16 leaky-type=downstream ! "
        f"valve name=gate drop=true ! capsfilter name=caps caps={_rtp(row, payload_type)}",
        name,
    )
    made.get_by_name("frames").set_property("caps", made.get_by_name("caps").get_property("caps"))
    return made


def push_frame(source: Any, payload: bytes, number: int) -> bool:
    """A packet of RTP with it, its `number` in order."""
    structure = source.get_property("caps").get_structure(0)
    ticks = int(time.monotonic() * structure.get_int("clock-rate")[1])
    head = struct.pack(
        "!BBHII", 0x80, 0x80 | structure.get_int("payload")[1], number & 0xFFFF, ticks & 0xFFFFFFFF,
        structure.get_uint("ssrc")[1],
    )  # fmt: skip
    return source.emit("push-buffer", Gst.Buffer.new_wrapped(head + payload)) == Gst.FlowReturn.OK


def discard(name: str) -> Any:
    """RTP in, nothing out."""
    return make_bin("fakesink async=false sync=false", name)


def encode_video(row: CodecRow, view: str, channel: str, rung: Rung) -> Any:
    """The shared encoder: a view in, encoded media on a channel."""
    held = f"{row.encoded} ! " if row.encoded else ""
    encoder = row.encoder.format(bitrate=rung.bitrate, kilobits=max(1, rung.bitrate // 1000), mtu=PAYLOAD)
    made = make_bin(
        f"{VIDEO_SOURCE} ! video/x-raw,format=I420,width={rung.width},height={rung.height},"
        f"framerate={rung.frame_rate}/1,pixel-aspect-ratio=1/1 ! {encoder} ! {held}{PUBLISH}",
        f"encoder-{channel}",
    )
    _name(made, "view", view)
    made.get_by_name("publish").set_property("channel", channel)
    return made


def retune_video(row: CodecRow, container: Any, rung: Rung) -> bool:
    """Another bit rate for an encoder at work; False: it takes none."""
    encoders = elements_with(container, row.adjusted.partition("=")[0]) if row.adjusted and container else []
    for encoder in encoders:
        name, _, value = row.adjusted.partition("=")
        encoder.set_property(name, int(value.format(bitrate=rung.bitrate, kilobits=max(1, rung.bitrate // 1000))))
    return bool(encoders)


def encode_audio(row: CodecRow, leg: str, channel: str) -> Any:
    """A shared encoder: what a leg hears, encoded, on a channel; nothing while it is silent."""
    made = make_bin(
        f"{AUDIO_SOURCE} skip-silence=true ! audioconvert ! audioresample quality=2 ! "
        f"audio/x-raw,rate={row.sample_rate} ! {row.encoder.format(bitrate=0, kilobits=0, mtu=PAYLOAD)} ! {PUBLISH}",
        f"encoder-{channel}",
    )
    _name(made, "leg", leg)
    made.get_by_name("publish").set_property("channel", channel)
    return made


def send_channel(
    row: CodecRow, payload_type: int, name: str, *, mtu: int = PACKET, extra: str = "", prompt: bool = False
) -> Any:
    """A channel in (`stage`, its property `channel`), RTP out, behind the valve `gate`.

    `prompt`: what follows never waits, so that threads that serve many may push.
    """
    return make_bin(
        f"{SHARING if prompt else SUBSCRIBE} ! valve name=gate drop=true ! "
        f"{row.payloader.format(payload_type=payload_type, mtu=mtu)} name=payloader ! "
        f"capsfilter name=caps caps={_rtp(row, payload_type)}{extra}",
        name,
    )


def send_audio(
    row: CodecRow, payload_type: int, leg: str, name: str, *, mtu: int = PACKET, events: tuple[int, int] | None = None,
    redundancy: int | None = None,
) -> Any:  # fmt: skip
    """The leg's mix in, RTP out, behind the valve `gate`.

    `redundancy`: payload type of packets that carry the one before them; such go out while `active` of `red` is set.

    `events` (payload type, clock rate) adds a source of telephone events, `events`, that takes turns with the voice.
    """
    caps = _rtp(row, payload_type)
    red = f"rostrared name=red payload-type={redundancy} ! " if redundancy else ""
    voice = (
        f"{_encoded(row)} ! {row.payloader.format(payload_type=payload_type, mtu=mtu)} name=payloader ! "
        f"{red}capsfilter name=caps caps={caps}"
    )
    if events:
        number, rate = events
        ssrc = caps.rpartition("(uint)")[2]
        voice = (
            f"rtpdtmfmux name=turns ssrc={ssrc} {voice} ! turns. "
            f"rtpdtmfsrc name=events pt={number} clock-rate={rate} ssrc={ssrc} ! turns.priority_sink_0"
        )
    made = make_bin(voice, name)
    _name(made, "leg", leg)
    return made


def _encoded(row: CodecRow) -> str:
    """The leg's mix, encoded: by an encoder that all share who hear the same, where the stage has the codec."""
    if row.native:
        return f"rostravoicesrc name=stage codec={row.name} ! valve name=gate drop=true"
    return (
        f"{AUDIO_SOURCE} ! valve name=gate drop=true ! audioconvert ! audioresample quality=2 ! "
        f"audio/x-raw,rate={row.sample_rate} ! {row.encoder.format(bitrate=0, kilobits=0, mtu=PAYLOAD)}"
    )


def _rtp(row: CodecRow, payload_type: int) -> str:
    """Caps of a stream of ours, as the transport element must know them before the first packet."""
    return (
        f"application/x-rtp,media={row.kind},encoding-name={row.name},clock-rate={row.clock_rate},"
        f"payload={payload_type},ssrc=(uint){secrets.randbelow(0xFFFFFFFE) + 1}"
    )


def _name(made: Any, property_name: str, value: str) -> None:
    """Tell the stage element of a fragment whom it serves (ids need no quoting this way)."""
    made.get_by_name("stage").set_property(property_name, value)
