"""RFC 5118: messages with IPv6 addresses."""

from __future__ import annotations

from tests.sip.torture.vector import Vector, message

REGISTER = """\
REGISTER {target} SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
Contact: "Caller" <sip:caller@[2001:db8::1]>
CSeq: 98176 REGISTER
Content-Length: 0
"""

BYE = """\
BYE sip:[2001:db8::10] SIP/2.0
To: sip:user@example.com;tag=bd76ya
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
CSeq: 321 BYE
Content-Length: 0
"""

INVITE = """\
INVITE sip:user@{host} SIP/2.0
To: sip:user@{host}
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP {via};branch=z9hG4bKas3-111
Call-ID: SSG9559905523997077@hlau_4100
Contact: "Caller" <sip:caller@{contact}>
CSeq: 8612 INVITE
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: {{length}}
"""

SDP6 = """\
v=0
o=assistant 971731711378798081 0 IN IP6 2001:db8::20
s=Live video feed for today's meeting
c=IN IP6 2001:db8::20
t=3338481189 3370017201
m=audio 6000 RTP/AVP 2
a=rtpmap:2 G726-32/8000
m=video 6024 RTP/AVP 107
a=rtpmap:107 H263-1998/90000
"""

SDP_BOTH = """\
v=0
o=bob 280744730 28977631 IN IP4 host.example.com
s=
t=0 0
m=audio 22334 RTP/AVP 0
c=IN IP4 192.0.2.1
m=video 6024 RTP/AVP 107
c=IN IP6 2001:db8::1
a=rtpmap:107 H263-1998/90000
"""

SDP_MAPPED = """\
v=0
o=bob 280744730 28977631 IN IP6 ::ffff:192.0.2.10
s=
c=IN IP6 ::ffff:192.0.2.10
t=0 0
m=audio 22334 RTP/AVP 0
"""

MULT_IP = message(
    """\
BYE sip:user@host.example.net SIP/2.0
Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144
Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200
Call-ID: 997077@lau_4100
Max-Forwards: 70
CSeq: 89187 BYE
To: sip:user@example.net;tag=9817--94
From: sip:user@example.com;tag=81x2
Content-Length: 0
"""
)

THREE_COLONS = message(
    """\
OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0
To: sip:user@[2001:db8:::192.0.2.1]
From: sip:user@example.com;tag=810x2
Via: SIP/2.0/UDP lab1.east.example.com;branch=z9hG4bKas3-111
Call-ID: G9559905523997077@hlau_4100
CSeq: 689 OPTIONS
Max-Forwards: 70
Content-Length: 0
"""
)

V6 = {"host": "[2001:db8::10]", "via": "[2001:db8::20]", "contact": "[2001:db8::20]"}
MAPPED = {"host": "example.com", "via": "[::ffff:192.0.2.10]:19823", "contact": "[::ffff:192.0.2.2]"}

VECTORS = [
    Vector("ipv6-good", "4.1", message(REGISTER.format(target="sip:[2001:db8::10]")), 200, "registered"),
    Vector("ipv6-bad", "4.2", message(REGISTER.format(target="sip:2001:db8::10")), 400, "no brackets", readable=False),
    Vector(
        "port-ambiguous", "4.3", message(REGISTER.format(target="sip:[2001:db8::10:5070]")), 200,
        "within the brackets all is address",
    ),
    Vector("port-unambiguous", "4.4", message(REGISTER.format(target="sip:[2001:db8::10]:5070")), 200, "registered"),
    Vector(
        "via-received-param-with-delim", "4.5", message(BYE.format(received="[2001:db8::9:255]")), 481,
        "brackets are read; there is no such call",
    ),
    Vector(
        "via-received-param-no-delim", "4.5", message(BYE.format(received="2001:db8::9:255")), 481,
        "so they are when missing",
    ),
    Vector("ipv6-in-sdp", "4.6", message(INVITE.format(**V6), SDP6), "call", "what is offered is judged later"),
    Vector("mult-ip-in-header", "4.7", MULT_IP, 481, "there is no such call"),
    Vector("mult-ip-in-sdp", "4.8", message(INVITE.format(**V6), SDP_BOTH), "call", "each stream has its address"),
    Vector("ipv4-mapped-ipv6", "4.9", message(INVITE.format(**MAPPED), SDP_MAPPED), "call", "an address like others"),
    Vector("ipv6-bug-abnf-3-colons", "4.10", THREE_COLONS, 200, "nobody has to be found by it"),
]  # fmt: skip
