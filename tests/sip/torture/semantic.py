"""RFC 4475 3.3 and 3.4: well-formed messages that the application layer must treat with care."""

from __future__ import annotations

from tests.sip.torture.valid import BODY
from tests.sip.torture.vector import Vector, message

INSUF = message(
    """\
INVITE sip:user@example.com SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
Content-Type: application/sdp
l: {length}
""",
    BODY,
)
UNKSCM = message(
    """\
OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0
To: sip:user@example.com
From: sip:caller@example.net;tag=384
Max-Forwards: 3
Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34
CSeq: 3923423 OPTIONS
Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
Content-Length: 0
"""
)
NOVELSC = message(
    """\
OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0
To: sip:user@example.com
From: sip:caller@example.net;tag=384
Max-Forwards: 3
Call-ID: novelsc.asdfasser0q239nwsdfasdkl34
CSeq: 3923423 OPTIONS
Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
Content-Length: 0
"""
)
UNKSM2 = message(
    """\
REGISTER sip:example.com SIP/2.0
To: isbn:2983792873
From: <http://www.example.com>;tag=3234233
Call-ID: unksm2.daksdj@hyphenated-host.example.com
CSeq: 234902 REGISTER
Max-Forwards: 70
Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw
Contact: <name:John_Smith>
l: 0
"""
)
BEXT01 = message(
    """\
OPTIONS sip:user@example.com SIP/2.0
To: sip:j_user@example.com
From: sip:caller@example.net;tag=242etr
Max-Forwards: 6
Call-ID: bext01.0ha0isndaksdj
Require: nothingSupportsThis, nothingSupportsThisEither
Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis
CSeq: 8 OPTIONS
Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw
Content-Length: 0
"""
)
INVUT = message(
    """\
INVITE sip:user@example.com SIP/2.0
Contact: <sip:caller@host5.example.net>
To: sip:j.user@example.com
From: sip:caller@example.net;tag=8392034
Max-Forwards: 70
Call-ID: invut.0ha0isndaksdjadsfij34n23d
CSeq: 235448 INVITE
Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw
Content-Type: application/unknownformat
Content-Length: {length}
""",
    '<audio>\n <pcmu port="443"/>\n</audio>\n',
)
REGAUT01 = message(
    """\
REGISTER sip:example.com SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=87321hj23128
Max-Forwards: 8
Call-ID: regaut01.0ha0isndaksdj
CSeq: 9338 REGISTER
Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw
Authorization: NoOneKnowsThisScheme opaque-data=here
Content-Length:0
"""
)
MULTI01 = message(
    """\
INVITE sip:user@company.com SIP/2.0
Contact: <sip:caller@host25.example.net>
Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
Max-Forwards: 70
CSeq: 5 INVITE
Call-ID: multi01.98asdh@192.0.2.1
CSeq: 59 INVITE
Call-ID: multi01.98asdh@192.0.2.2
From: sip:caller@example.com;tag=3413415
To: sip:user@example.com
To: sip:other@example.net
From: sip:caller@example.net;tag=2923420123
Content-Type: application/sdp
l: {length}
Contact: <sip:caller@host36.example.net>
Max-Forwards: 5
""",
    BODY,
)
MCL01 = message(
    """\
OPTIONS sip:user@example.com SIP/2.0
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423
To: sip:user@example.com
From: sip:other@example.net;tag=3923942
Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf
CSeq: 15932 OPTIONS
Content-Length: 13
Max-Forwards: 60
Content-Length: 5
Content-Type: text/plain
""",
    b"There's no way to know how many octets are supposed to be here.\r\n",
)
BCAST = message(
    """\
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: {length}
Content-Type: application/sdp
Contact: <sip:user@host28.example.com>
""",
    BODY,
)
ZEROMF = message(
    """\
OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:caller@example.net;tag=3ghsd41
Call-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas
CSeq: 39234321 OPTIONS
Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i
Max-Forwards: 0
Content-Length: 0
"""
)


def _registration(name: str, contacts: str) -> bytes:
    return message(
        f"""\
REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
Max-Forwards: 70
From: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe
To: sip:watson@example.com
Call-ID: {name}.70710@saturn.example.com
CSeq: 2 REGISTER
{contacts}
l: 0
"""
    )


CPARAM01 = _registration("cparam01", "Contact: sip:+19725552222@gw1.example.net;unknownparam")
CPARAM02 = _registration("cparam02", "Contact: <sip:+19725552222@gw1.example.net;unknownparam>")
REGESCRT = _registration("regescrt", "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>")
SDP01 = message(
    """\
INVITE sip:user@example.com SIP/2.0
To: sip:j_user@example.com
Contact: <sip:caller@host15.example.net>
From: sip:caller@example.net;tag=234
Max-Forwards: 5
Call-ID: sdp01.ndaksdj9342dasdd
Accept: text/nobodyKnowsThis
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw
Content-Length: {length}
Content-Type: application/sdp
""",
    BODY,
)
INV2543 = message(
    """\
INVITE sip:UserB@example.com SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+13035551111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+16505552222@ss1.example.net;user=phone
Call-ID: inv2543.1717@ift.client.example.com
CSeq: 56 INVITE
Content-Type: application/sdp

""".rstrip("\n")
    + "\n",
    BODY,
)

VECTORS = [
    Vector("insuf", "3.3.1", INSUF, 400, "To, From and Call-ID are missing", readable=False),
    Vector("unkscm", "3.3.2", UNKSCM, 416, "unknown URI scheme"),
    Vector("novelsc", "3.3.3", NOVELSC, 416, "known but useless URI scheme"),
    Vector("unksm2", "3.3.4", UNKSM2, 400, "unknown schemes are read; nobody can be called by such a Contact"),
    Vector("bext01", "3.3.5", BEXT01, 420, "Unsupported lists both options; Proxy-Require is for proxies"),
    Vector("invut", "3.3.6", INVUT, 415, "Accept says what we take"),
    Vector("regaut01", "3.3.7", REGAUT01, 200, "unknown authorization scheme is ignored; registered all the same"),
    Vector("multi01", "3.3.8", MULTI01, 400, "fields that must be single are not", readable=False),
    Vector("mcl01", "3.3.9", MCL01, 400, "two Content-Length fields", readable=False),
    Vector("bcast", "3.3.10", BCAST, None, "two Via values: not for us, dropped"),
    Vector("zeromf", "3.3.11", ZEROMF, 200, "we are the end of the way, so Max-Forwards 0 does not matter"),
    Vector("cparam01", "3.3.12", CPARAM01, 200, "read as a header parameter; registered"),
    Vector("cparam02", "3.3.13", CPARAM02, 200, "read as a URI parameter; registered"),
    Vector("regescrt", "3.3.14", REGESCRT, 200, "headers in a Contact URI are read, and not kept"),
    Vector("sdp01", "3.3.15", SDP01, 406, "the caller does not take SDP"),
    Vector("inv2543", "3.4.1", INV2543, "call", "no tag, branch, Max-Forwards, Contact or Content-Length"),
]
