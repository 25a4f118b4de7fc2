"""Far ends whose coders are not ours, wherever the machine has another make of them."""

from __future__ import annotations

from tests.media.endpoints import Screen, Voice

_RESAMPLED = "audioconvert ! audioresample ! audio/x-raw,rate={rate},channels=1 ! "
_LOW = "openh264enc complexity=low bitrate=400000 gop-size=60"
FRAGMENTS = {
    "OPUS": ("audioconvert ! opusenc frame-size=20", "rtpopuspay", "rtpopusdepay", "avdec_opus"),
    "G722": (_RESAMPLED.format(rate=16000) + "avenc_g722", "rtpg722pay", "rtpg722depay", "avdec_g722"),
    "SIREN": (_RESAMPLED.format(rate=16000) + "sirenenc", "rtpsirenpay", "rtpsirendepay", "sirendec"),
    "PCMA": (_RESAMPLED.format(rate=8000) + "alawenc", "rtppcmapay", "rtppcmadepay", "alawdec"),
    "PCMU": (_RESAMPLED.format(rate=8000) + "mulawenc", "rtppcmupay", "rtppcmudepay", "mulawdec"),
    "G729": (_RESAMPLED.format(rate=8000) + "rostrag729enc", "rtpg729pay", "rtpg729depay", "avdec_g729"),
    "MPEG4-GENERIC": (
        _RESAMPLED.format(rate=48000) + "avenc_aac bitrate=64000",
        "rtpmp4gpay",
        "rtpmp4gdepay",
        "aacparse ! faad",
    ),
    "MP4A-LATM": (
        _RESAMPLED.format(rate=48000) + "avenc_aac bitrate=64000",
        "rtpmp4apay",
        "rtpmp4adepay",
        "aacparse ! faad",
    ),
    "SPEEX": (_RESAMPLED.format(rate=16000) + "speexenc", "rtpspeexpay", "rtpspeexdepay", "speexdec"),
    "H264 0": (
        _LOW,
        "rtph264pay config-interval=-1 aggregate-mode=none",
        "rtph264depay",
        "h264parse ! avdec_h264",
    ),
    "H264 1": (_LOW, "rtph264pay config-interval=-1", "rtph264depay", "h264parse ! avdec_h264"),
    "H264 high": (
        "x264enc tune=zerolatency speed-preset=veryfast bitrate=500 key-int-max=60 ! video/x-h264,profile=high",
        "rtph264pay config-interval=-1",
        "rtph264depay",
        "h264parse ! avdec_h264",
    ),
    "VP8": ("vp8enc deadline=1 keyframe-max-dist=60", "rtpvp8pay", "rtpvp8depay", "avdec_vp8"),
    "VP9": ("vp9enc deadline=1 cpu-used=8 keyframe-max-dist=60", "rtpvp9pay", "rtpvp9depay", "avdec_vp9"),
    "H263": ("avenc_h263 gop-size=60 ps=1000", "rtph263pay", "rtph263depay", "avdec_h263"),
    "H263-1998": ("avenc_h263 gop-size=60 ps=1000", "rtph263ppay", "rtph263pdepay", "avdec_h263"),
    "H261": ("avenc_h261 gop-size=60", "rtph261pay", "rtph261depay", "avdec_h261"),
}


def _coders(form: str, payload_type: int) -> tuple[str, str, str, str]:
    encoder, payloader, depayloader, decoder = FRAGMENTS[form]
    return encoder, f"{payloader} pt={payload_type} mtu=1200", depayloader, decoder


class FarVoice(Voice):
    """Hums in a codec."""

    def fragments(self) -> tuple[str, str, str, str]:
        return _coders(self.codec.name, self.codec.payload_type)


class FarPicture(Screen):
    """Shows a colour in a codec."""

    def fragments(self) -> tuple[str, str, str, str]:
        name, parameters = self.codec.name, self.codec.parameters
        if name == "H264":
            high = parameters["profile-level-id"].startswith("64")
            name = f"H264 {'high' if high else parameters['packetization-mode']}"
        return _coders(name, self.codec.payload_type)
