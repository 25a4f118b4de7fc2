"""Offers as endpoints of several makes send them (written for these tests)."""

from __future__ import annotations

BARESIP = """\
v=0
o=- 1733 1047 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
a=tool:baresip 1.0.0
m=audio 20102 RTP/AVP 96 9 0 8 101
b=AS:128
a=rtpmap:96 opus/48000/2
a=fmtp:96 stereo=1;sprop-stereo=1
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp:20103
a=sendrecv
a=label:1
a=rtcp-rsize
a=ssrc:1 cname:sip:a@192.0.2.10
a=ptime:20
m=video 20104 RTP/AVP 97 98 99
b=AS:512
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42001f
a=rtpmap:98 H264/90000
a=fmtp:98 packetization-mode=1;profile-level-id=42001f
a=rtpmap:99 VP8/90000
a=rtcp:20105
a=sendrecv
a=label:2
a=rtcp-fb:* nack pli
a=content:main
"""

ROOM_SYSTEM = """\
v=0
o=room 4 1 IN IP4 192.0.2.20
s=-
c=IN IP4 192.0.2.20
b=AS:1920
t=0 0
m=audio 2326 RTP/SAVP 107 9 8 0 101
b=TIAS:64000
a=rtpmap:107 MP4A-LATM/90000
a=fmtp:107 profile-level-id=25;object=23;bitrate=128000
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=crypto:0 AES_CM_128_HMAC_SHA1_32 inline:dGhpcyBpcyBhIGtleSBhbmQgc2FsdCBvZiAzMCE5|2^48
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:dGhpcyBpcyBhIGtleSBhbmQgc2FsdCBvZiAzMCEh|2^48
a=sendrecv
m=video 2328 RTP/SAVP 97 126 34 31
b=TIAS:1920000
a=rtpmap:97 H264/90000
a=fmtp:97 packetization-mode=0;profile-level-id=428016;max-br=5000;max-mbps=245000;max-fs=9000
a=rtpmap:126 H264/90000
a=fmtp:126 packetization-mode=1;profile-level-id=428016;max-br=5000;max-mbps=245000;max-fs=9000
a=rtpmap:34 H263/90000
a=fmtp:34 CIF4=1;CIF=1
a=rtpmap:31 H261/90000
a=rtcp-fb:* nack pli
a=rtcp-fb:126 ccm fir
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:dGhpcyBpcyBhIGtleSBhbmQgc2FsdCBvZiAzMCEi
a=content:main
a=label:11
m=application 5070 UDP/BFCP *
a=floorctrl:c-s
a=confid:1
a=floorid:2 mstrm:12
a=userid:2
m=video 2332 RTP/SAVP 97
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=428016
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:dGhpcyBpcyBhIGtleSBhbmQgc2FsdCBvZiAzMCEj
a=content:slides
a=label:12
m=application 2334 RTP/SAVP 125
a=rtpmap:125 H224/4800
"""

SOFT_PHONE = """\
v=0
o=alice 3105 1210 IN IP6 2001:db8::30
s=Talk
c=IN IP6 2001:db8::30
b=AS:1500
t=0 0
a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
m=audio 7078 RTP/AVPF 96 97 98 0 8 101 99
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:97 speex/16000
a=fmtp:97 vbr=on
a=rtpmap:98 speex/8000
a=rtpmap:101 telephone-event/48000
a=rtpmap:99 telephone-event/8000
a=rtcp-fb:* trr-int 5000
m=video 9078 RTP/AVPF 96 97
a=rtpmap:96 VP8/90000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42801F
a=rtcp-fb:* trr-int 5000
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=rtcp-fb:97 nack pli
"""
