"""Global settings of protocols, ports and defences."""

from __future__ import annotations

from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, flag, reference, text, whole
from rostra.configuration.validators import domain, url

_DAY = 86400


class ConnectivitySettings(models.Model):
    """Protocols, ports and defences."""

    enable_sip = flag(
        "Enable SIP", "Calls by SIP over TCP and TLS. Nodes accept or refuse them once restarted.", default=True
    )
    enable_sip_udp = flag(
        "Enable SIP UDP",
        "Incoming calls by SIP over UDP, which draws unwanted calls. Nodes accept or refuse them once restarted.",
        default=False,
    )
    enable_h323 = flag("Enable H.323", "Calls and registrations by H.323.", default=True)
    enable_webrtc = flag("Enable WebRTC", "Calls of browsers and of apps.", default=True)
    enable_rtmp = flag("Enable RTMP", "Conferences may be streamed by RTMP.", default=True)
    enable_dialout = flag(
        "Enable outbound calls",
        "Calls that the platform places: from conferences, and through Call Routing Rules.",
        default=True,
    )
    enable_application_api = flag(
        "Enable client API", "The web app, other apps and programs may join conferences and control them.", default=True
    )
    enable_directory = flag(
        "Enable directory", "Registered clients find services and devices by their names.", default=True
    )
    enable_ssh = flag(
        "Enable SSH",
        "Administrators may log in to the machines over SSH. Kept for later: no node does it yet.",
        default=True,
    )
    enable_lync_auto_escalate = flag(
        "Give Skype audio calls video",
        "Give audio calls of Skype for Business video without being asked. Kept for later: no node does it yet.",
        default=False,
    )
    enable_lync_vbss = flag(
        "Skype screen sharing by video",
        "Screens are shared with Skype for Business as video, not by RDP. Kept for later: no node does it yet.",
        default=False,
    )
    enable_edge_non_mesh = flag(
        "Restricted mesh for edge nodes",
        "Edge nodes keep connections to the nodes they need only. Kept for later: no node does it yet.",
        default=True,
    )
    enable_legacy_dialout_api = flag(
        "Dial out without routing rules",
        "Older clients may dial out where no Call Routing Rule leads. Kept for later: no node does it yet.",
        default=False,
    )
    enable_turn_443 = flag(
        "Media relay on TCP 443",
        "Nodes relay media on TCP port 443 for clients behind strict firewalls. Kept for later: no node does it yet.",
        default=False,
    )
    local_mssip_domain = text(
        "Skype for Business domain",
        255,
        "Domain whose calls Skype for Business sends here. Empty: none. Kept for later: no node does it yet.",
        validators=[domain],
    )
    management_qos = whole(
        "DSCP value for management",
        0,
        63,
        "Marks packets of administration for routers that sort by it (0 to 63). Empty or 0: no "
        "mark. Kept for later: no node does it yet.",
        default=0,
        optional=True,
    )
    signalling_ports_start = whole(
        "Signalling ports from",
        10000,
        49999,
        "First port that nodes send signalling from (10000 to 49999). Takes effect once nodes are restarted.",
        default=33000,
    )
    signalling_ports_end = whole(
        "Signalling ports to",
        10000,
        49999,
        "Last port that nodes send signalling from (10000 to 49999). Takes effect once nodes are restarted.",
        default=39999,
    )
    media_ports_start = whole(
        "Media ports from",
        10000,
        49999,
        "First port for media (10000 to 49999). The range holds 100 ports or more and does not "
        "overlap that of signalling.",
        default=40000,
    )
    media_ports_end = whole(
        "Media ports to",
        10000,
        49999,
        "Last port for media (10000 to 49999). Takes effect once nodes are restarted.",
        default=49999,
    )
    ocsp_state = choice(
        "OCSP",
        vocabulary.OCSP_STATES,
        "Ask whether certificates of SIP peers were revoked: not, the responder they name, or always the one below.",
        default="OFF",
    )
    ocsp_responder_url = text(
        "OCSP responder URL",
        255,
        "Who is asked by the last choice, or where a certificate names nobody. Empty: nobody.",
        validators=[url],
    )
    sip_tls_cert_verify_mode = choice(
        "Verify SIP TLS certificates",
        vocabulary.ON_OFF,
        "Refuse SIP peers whose certificate comes from no trusted authority.",
        default="OFF",
    )
    bdpm_pin_checks_enabled = flag(
        "PIN brute force resistance",
        "Refuse entry to a service for some minutes once too many wrong PINs came in.",
        default=True,
    )
    bdpm_max_pin_failures_per_window = whole(
        "PIN failures allowed",
        5,
        200,
        "How many wrong PINs there may be at a service in 10 minutes (5 to 200).",
        default=20,
    )
    bdpm_scan_quarantine_enabled = flag(
        "VOIP scanner resistance",
        "Refuse for some minutes who has tried too many aliases that do not exist.",
        default=True,
    )
    bdpm_max_scan_attempts_per_window = whole(
        "Scan attempts allowed", 5, 200, "How many wrong aliases somebody may try in 10 minutes (5 to 200).", default=20
    )
    content_security_policy_header = text(
        "Content Security Policy",
        4096,
        "What browsers may load beside the web app of nodes, as the header of that name says "
        "it. Kept for later: no node does it yet.",
        default="default-src 'self'",
    )
    default_webapp_alias = reference(
        "Default web app path",
        "configuration.WebappAlias",
        "Web app of those who name no path in their address.",
        related_name="+",
    )
    content_security_policy_state = flag(
        "Send Content Security Policy",
        "Nodes send the policy above to browsers. Kept for later: no node does it yet.",
        default=True,
    )
    es_connection_timeout = whole(
        "Event sink timeout",
        1,
        600,
        "How long an event sink may take to answer, in seconds (1 to 600). Kept for later: no node does it yet.",
        default=7,
    )
    es_initial_retry_backoff = whole(
        "Event sink first delay",
        1,
        3600,
        "How long it takes until an event sink that failed is tried again, in seconds (1 to "
        "3600). Kept for later: no node does it yet.",
        default=1,
    )
    es_maximum_retry_backoff = whole(
        "Event sink last delay",
        1,
        _DAY,
        "The delay doubles up to this, then sending stops, in seconds (1 to 86400). Kept for "
        "later: no node does it yet.",
        default=1800,
    )
    es_media_streams_wait = whole(
        "Event sink media wait",
        0,
        60,
        "How long after a call its last figures are waited for, in seconds (0 to 60). Kept for "
        "later: no node does it yet.",
        default=1,
    )
    es_metrics_update_interval = whole(
        "Event sink metrics period",
        0,
        3600,
        "How often figures of media are sent, in seconds (up to 3600); 0: never. Kept for later: no node does it yet.",
        default=60,
    )
    es_short_term_memory_expiration = whole(
        "Event sink memory",
        0,
        3600,
        "How long events are kept for event sinks that are late, in seconds (0 to 3600). Kept "
        "for later: no node does it yet.",
        default=2,
    )

    class Meta:
        abstract = True
