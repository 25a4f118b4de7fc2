"""A far end that decodes the picture it is sent, and asks for key frames when it misses packets."""

from __future__ import annotations

from typing import Any

import numpy as np

from rostra.domain.media import CodecParameters
from rostra.media import codecs
from rostra.media.engine import rtp_transport
from rostra.media.engine.gst import Gst


class Viewer:
    """Takes RTP at `port` and sends RTCP to a port of this machine."""

    def __init__(self, codec: CodecParameters, control: int) -> None:
        row = codecs.BY_NAME[codec.name]
        self.pictures = 0
        self.size = (0, 0)
        self._shown = b""
        self._pipeline = Gst.parse_launch(
            f"rtpbin name=rtp rtp-profile=avpf do-lost=true latency={rtp_transport.JITTER} "
            f"udpsrc name=in port=0 address=127.0.0.1 buffer-size=2000000 caps=application/x-rtp,media=video,"
            f"encoding-name={codec.name},clock-rate=90000,payload={codec.payload_type},rtcp-fb-nack-pli=true ! "
            "identity name=counted silent=true ! rtp.recv_rtp_sink_0 "
            f"rtp. ! {row.depayloader} ! {row.decoder} ! videoconvert ! video/x-raw,format=I420 ! "
            "appsink name=out sync=false emit-signals=true "
            f"rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={control} sync=false async=false"
        )
        self._pipeline.get_by_name("out").connect("new-sample", self._look)
        self._pipeline.set_state(Gst.State.PLAYING)
        self.port: int = self._pipeline.get_by_name("in").get_property("port")

    @property
    def octets(self) -> int:
        """Received so far."""
        return self._pipeline.get_by_name("counted").get_property("stats").get_uint64("num-bytes")[1]

    def _look(self, out: Any) -> Any:
        sample = out.emit("pull-sample")
        shape, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
        self.size = shape.get_value("width"), shape.get_value("height")
        self._shown = buffer.extract_dup(0, buffer.get_size())
        self.pictures += 1
        return Gst.FlowReturn.OK

    @property
    def luma(self) -> np.ndarray:
        """Of the last picture."""
        width, height = self.size
        return np.frombuffer(self._shown, np.uint8)[: width * height].reshape(height, width)

    def tint(self, x: float, y: float) -> tuple[float, float]:
        """U and V of the last picture around a place, as shares of width and height."""
        width, height = self.size
        chroma = np.frombuffer(self._shown, np.uint8)[width * height :].reshape(2, height // 2, width // 2)
        left, top = int(x * width / 2), int(y * height / 2)
        around = chroma[:, top - 6 : top + 6, left - 6 : left + 6].mean((1, 2))
        return float(around[0]), float(around[1])

    def close(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)
