"""H.224 with H.281, the way far-end cameras are moved (RFC 4573): no codec, but negotiated like one."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow

ROW = CodecRow(name="H224", kind=MediaKind.APPLICATION, clock_rate=4800, payload_type=109, switches={"": "H224"})
