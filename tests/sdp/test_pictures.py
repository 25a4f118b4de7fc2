"""Sizes of pictures that a far end would like (RFC 6236)."""

import pytest

from rostra.sdp.pictures import wanted_ratio
from rostra.sdp.reading import read


@pytest.mark.parametrize(
    ("value", "ratio"),
    [
        ("97 send [x=800,y=640,sar=1.1,q=0.6] [x=480,y=320] recv [x=330,y=250]", 330 / 250),
        ("97 recv [x=1280,y=720,q=0.3] [x=640,y=480,q=0.9] send [x=800,y=600]", 4 / 3),
        ("* recv [x=640,y=480] [x=1280,y=720]", 4 / 3),
        ("97 recv [x=[480:16:800],y=[320:16:600],par=[1.3-1.34]] send *", 1.34),
        ("97 recv [x=[640,1280],y=[480,720]]", 1280 / 720),
        ("97 send [x=640,y=480]", 0),
        ("97 send [x=640,y=480] recv *", 0),
        ("97 recv [x=640", 0),
        ("97 recv [x=640,y=0]", 0),
        ("recv [] [] q=1", 0),
    ],
)
def test_what_is_liked_best_counts(value: str, ratio: float) -> None:
    assert wanted_ratio([value]) == pytest.approx(ratio)


def test_a_description_says_so() -> None:
    text = (
        "v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\nm=video 4000 RTP/AVP 97\na=rtpmap:97 H264/90000\n"
        "a=imageattr:97 send [x=1280,y=720] recv [x=1024,y=768]\n"
    )
    assert read(text).streams[0].ratio == pytest.approx(4 / 3)
