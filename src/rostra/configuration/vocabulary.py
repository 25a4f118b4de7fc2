"""Enumerations of the configuration, with the labels people see (management API sheet, section 5)."""

from __future__ import annotations

from rostra.configuration.fields import Options
from rostra.domain import layouts

SERVICE_TYPES: Options = [
    ("conference", "Virtual Meeting Room"),
    ("lecture", "Virtual Auditorium"),
    ("two_stage_dialing", "Virtual Reception"),
    ("test_call", "Test Call Service"),
]
LAYOUTS: Options = [(layout.key, layout.label) for layout in layouts.LAYOUTS]
CALL_TYPES: Options = [
    ("video", "Main video and presentation"),
    ("video-only", "Main video only"),
    ("audio", "Audio only"),
]
CRYPTO_MODES: Options = [("besteffort", "Best effort"), ("on", "Required"), ("off", "No encryption")]
CALL_QUALITIES: Options = [("sd", "SD"), ("hd", "HD"), ("fullhd", "Full HD")]
INHERITED_YES_NO: Options = [("default", "Use the global setting"), ("yes", "Yes"), ("no", "No")]
INHERITED_ON_OFF: Options = [("GLOBAL", "Use the global setting"), ("OFF", "Off"), ("ON", "On")]
DIAL_TYPES: Options = [
    ("regular", "Regular"),
    ("mssip", "Skype for Business"),
    ("gms", "Google Meet"),
    ("teams", "Microsoft Teams"),
]
DIRECT_MEDIA: Options = [("never", "Never"), ("best_effort", "Best effort"), ("always", "Always")]
NON_IDP: Options = [("disallow_all", "Refuse all"), ("allow_if_trusted", "Allow trusted devices")]
IDENTITY_PROTOCOLS: Options = [("saml", "SAML 2.0"), ("oidc", "OpenID Connect")]
SAML_SIGNATURES: Options = [
    ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "RSA with SHA-1"),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "RSA with SHA-256"),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", "RSA with SHA-384"),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "RSA with SHA-512"),
]
SAML_DIGESTS: Options = [
    ("http://www.w3.org/2000/09/xmldsig#sha1", "SHA-1"),
    ("http://www.w3.org/2001/04/xmlenc#sha256", "SHA-256"),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", "SHA-384"),
    ("http://www.w3.org/2001/04/xmlenc#sha512", "SHA-512"),
]
OIDC_FLOWS: Options = [("code", "Authorization code"), ("implicit", "Implicit")]
OIDC_CLIENTS: Options = [("client_secret_basic", "HTTP Basic"), ("client_secret_post", "In the body")]
OIDC_SIGNATURES: Options = [("rs256", "RS256"), ("hs256", "HS256")]
EIDAS_LEVELS: Options = [("disabled", "None"), ("eidas1", "eIDAS 1"), ("eidas2", "eIDAS 2"), ("eidas3", "eIDAS 3")]
GUESTS_SEE_GUESTS: Options = [("no_hosts", "While no Host is there"), ("never", "Never"), ("always", "Always")]
SNMP_MODES: Options = [("DISABLED", "Off"), ("STANDARD", "SNMPv2c"), ("AUTHPRIV", "SNMPv3 with privacy")]
NODE_TYPES: Options = [("CONFERENCING", "Transcoding Conferencing Node"), ("PROXYING", "Proxying Edge Node")]
OCSP_STATES: Options = [("OFF", "Off"), ("ON", "On"), ("OVERRIDE", "On, with the responder below")]
ON_OFF: Options = [("OFF", "Off"), ("ON", "On")]
CLOUDS: Options = [("AWS", "Amazon Web Services"), ("AZURE", "Microsoft Azure"), ("GCP", "Google Cloud")]
PROTOCOLS: Options = [("sip", "SIP"), ("h323", "H.323"), ("mssip", "Skype for Business"), ("rtmp", "RTMP")]
ROLES: Options = [("guest", "Guest"), ("chair", "Host")]
KEEP_ALIVE: Options = [
    ("keep_conference_alive_if_multiple", "While two or more such participants are there"),
    ("keep_conference_alive", "Always"),
    ("keep_conference_alive_never", "Never"),
]
ROUTINGS: Options = [("manual", "Settings of the location"), ("routing_rule", "Call Routing Rules")]
CODECS: Options = [
    ("PCMU", "G.711 µ-law"),
    ("PCMA", "G.711 A-law"),
    ("G722", "G.722"),
    ("G719", "G.719"),
    ("G7221_24", "G.722.1 (24 kbit/s)"),
    ("G7221_32", "G.722.1 (32 kbit/s)"),
    ("opus", "Opus"),
    ("SIREN7_16", "Siren7 (16 kbit/s)"),
    ("SIREN14_24", "Siren14 (24 kbit/s)"),
    ("SIREN14_32", "Siren14 (32 kbit/s)"),
    ("SIREN14_48", "Siren14 (48 kbit/s)"),
    ("MP4A-LATM_48", "MPEG-4 AAC in LATM (48 kbit/s)"),
    ("MP4A-LATM_56", "MPEG-4 AAC in LATM (56 kbit/s)"),
    ("MP4A-LATM_64", "MPEG-4 AAC in LATM (64 kbit/s)"),
    ("MP4A-LATM_128", "MPEG-4 AAC in LATM (128 kbit/s)"),
    ("speex", "Speex"),
    ("AAC-LD_128", "AAC-LD (128 kbit/s)"),
    ("H261", "H.261"),
    ("H263", "H.263"),
    ("H263-1998", "H.263+"),
    ("H264_B_0", "H.264 Baseline (mode 0)"),
    ("H264_B_1", "H.264 Baseline (mode 1)"),
    ("H264_H_0", "H.264 High (mode 0)"),
    ("H264_H_1", "H.264 High (mode 1)"),
    ("VP8", "VP8"),
    ("VP9", "VP9"),
    ("X-H264UC", "H.264 UC (Skype for Business)"),
    ("X-ULPFECUC", "FEC for H.264 UC (Skype for Business)"),
]
TRANSPORTS: Options = [("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")]
SYSLOG_FORMATS: Options = [("rfc3164", "BSD syslog (RFC 3164)"), ("rfc5424", "Syslog (RFC 5424)")]
MAIL_SECURITY: Options = [("NONE", "None"), ("STARTTLS", "STARTTLS")]
WEB_PROXY_PROTOCOLS: Options = [("http", "HTTP")]
LOG_LEVELS: Options = [
    ("NOTSET", "As the logger above it"),
    ("DEBUG", "Debug"),
    ("INFO", "Information"),
    ("WARNING", "Warnings"),
    ("ERROR", "Errors"),
    ("CRITICAL", "Critical errors only"),
]
SSH_KEY_TYPES = (
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
CALL_TYPES_OF_RULES: Options = [*CALL_TYPES, ("auto", "Same as incoming call")]
CALL_TARGETS: Options = [
    ("external", "Registered device or external system"),
    ("registration", "Registered devices only"),
    ("mssip_conference_id", "Skype for Business meeting by its Conference ID"),
    ("mssip_server", "Skype for Business clients, or meetings through a Virtual Reception"),
]
MSSIP_TRANSPORTS: Options = [("tcp", "TCP"), ("tls", "TLS")]
TURN_CREDENTIALS: Options = [("namepsw", "Username and password"), ("coturn_shared", "Shared secret")]
REFRESH_STRATEGIES: Options = [("adaptive", "Adaptive"), ("maximum", "Basic")]
ALLOWED_ENTRIES: Options = [("user", "End users"), ("proxy", "Reverse proxies")]
WEB_APPS: Options = [("webapp1", "Web app 1"), ("webapp2", "Web app 2"), ("webapp3", "Web app 3")]
SCALING_POLICIES: Options = [("TeamsConnectorScaling", "Microsoft Teams Connector")]
SYNCED_SERVICES: Options = [kind for kind in SERVICE_TYPES if kind[0] in ("conference", "lecture")]
EVENTS: Options = [
    ("eventsink_started", "Event sink started"),
    ("eventsink_updated", "Event sink updated"),
    ("eventsink_stopped", "Event sink stopped"),
    ("eventsink_bulk", "Several events in one message"),
    ("conference_started", "Conference started"),
    ("conference_updated", "Conference updated"),
    ("conference_ended", "Conference ended"),
    ("participant_connected", "Participant connected"),
    ("participant_updated", "Participant updated"),
    ("participant_disconnected", "Participant disconnected"),
    ("participant_media_stream_window", "Media quality of a participant"),
    ("participant_media_streams_destroyed", "Media streams of a participant ended"),
]
PRIVATE_KEY_TYPES: Options = [
    ("RSA2048", "RSA (2048 bit)"),
    ("RSA4096", "RSA (4096 bit)"),
    ("ECDSAP256", "ECDSA (P-256)"),
    ("UPLOAD", "Upload a private key"),
]
