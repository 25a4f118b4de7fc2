from django.db import migrations

from rostra.configuration.describing import Describe

TEXTS = {
    "automaticparticipant": {
        "alias": ("What is called, for example name@example.com, or rtmp://… of a streaming service."),
        "call_type": ("The most that calls may carry: sound, pictures, and content that is shared."),
        "conference": "Rooms and auditoriums that call it when they begin.",
        "dtmf_sequence": (
            "Tones that are sent once it has answered: digits, * and #; a comma waits 2 seconds. Empty: none."
        ),
        "keep_conference_alive": (
            "Whether the conference goes on with nobody but such participants. Never suits streaming."
        ),
        "presentation_url": ("Where shared content is streamed to on its own, rtmp://… or rtmps://…. Empty: nowhere."),
        "protocol": "How it is called, unless Call Routing Rules decide.",
        "remote_display_name": "Name that other participants see. Empty: its alias.",
        "role": "Whether it joins as Host or as Guest.",
        "routing": ("What says how the call is placed: proxies of the outgoing location, or rules for outgoing calls."),
        "streaming": ("It streams or records, which the conference shows; it is not seen itself."),
        "system_location": "Nodes of this location place the call. Empty: chosen automatically.",
    },
    "conference": {
        "allow_guests": ("Tell Hosts, who enter the Host PIN, from Guests, who wait until a Host is there."),
        "breakout_rooms": ("Hosts may split the conference into groups; Global settings have to allow it as well."),
        "call_type": ("The most that calls may carry: sound, pictures, and content that is shared."),
        "crypto_mode": (
            "Required refuses devices without encryption, Best effort encrypts where a device "
            "can. Empty: as in Global settings."
        ),
        "denoise_enabled": ("Remove background noise from what participants say. Kept for later: no node does it yet."),
        "direct_media": (
            "Two web clients that are alone send to each other, not through the platform: never, "
            "if possible, or always."
        ),
        "direct_media_notification_duration": (
            "How long participants are told before media goes through the platform again, in seconds (0 to 30)."
        ),
        "enable_active_speaker_indication": "Write below the picture who is speaking.",
        "enable_chat": "Participants may write to each other.",
        "force_presenter_into_main": "Who shares content stays in the large picture, whoever speaks.",
        "guest_identity_provider_group": "Guests sign on with one of these. Empty: they need not.",
        "guest_pin": ("What Guests enter: another PIN, which ends in # if the Host PIN does. Empty: they enter none."),
        "guest_view": ("How pictures are arranged for Guests of a Virtual Auditorium. Empty: as for Hosts."),
        "guests_can_present": "Off: only Hosts may share content.",
        "guests_can_see_guests": ("When Guests of a Virtual Auditorium see each other, and not Hosts alone."),
        "host_identity_provider_group": "Hosts sign on with one of these. Empty: they need not.",
        "host_view": ("How pictures are arranged for Hosts; in a Virtual Meeting Room for everybody."),
        "live_captions_enabled": "Show in writing what is said. Kept for later: no node does it yet.",
        "match_string": (
            "Regular expression that the whole of what callers enter has to match. Empty: everything passes."
        ),
        "max_callrate_in": (
            "Most that each participant may send, in kbit/s (128 to 8192). Empty: the limit in Global settings."
        ),
        "max_callrate_out": (
            "Most that is sent to each participant, in kbit/s (128 to 8192). Empty: the limit in Global settings."
        ),
        "max_pixels_per_second": (
            "Highest resolution of pictures; more of it takes more capacity. Empty: that of Global settings."
        ),
        "mssip_proxy": ("Server that looks up meetings of Skype for Business by the Conference ID that callers enter."),
        "mute_all_guests": "Guests join with their microphones muted; Hosts can unmute them.",
        "non_idp_participants": ("What becomes of devices that cannot sign on, where participants have to."),
        "participant_limit": (
            "How many participants there may be at the same time; others are refused. Empty: no limit."
        ),
        "pin": ("What Hosts enter: 4 to 20 digits, which may end in #. Empty: nobody is asked."),
        "pinning_config": (
            "Arrangement of pinned participants, by its name in the theme. Kept for later: no node does it yet."
        ),
        "post_match_string": (
            "Regular expression that the whole meeting code found has to match. Empty: every code passes."
        ),
        "post_replace_string": (
            "What is called instead of the code found; \\1 is what the first group in brackets "
            "matched. Empty: the code."
        ),
        "primary_owner_email_address": "Who is sent the mail that tells of this service. Empty: nobody.",
        "replace_string": (
            "What is called instead; \\1 is what the first group in brackets matched. Empty: what was entered."
        ),
        "service_type": "What kind of service it is. It cannot be changed later.",
        "softmute_enabled": ("Make those quieter who do not speak. Kept for later: no node does it yet."),
        "system_location": "Nodes of this location look up meetings of other systems.",
        "tag": "A mark of your own. Status, history and call records show it.",
        "two_stage_dial_type": ("Whose meetings callers enter the number of; Regular: those of this platform."),
    },
    "eventsink": {
        "events": "What is sent while events are filtered.",
    },
    "gatewayroutingrule": {
        "call_type": ("The most that the call may carry; or the other side is offered what the caller has."),
        "called_device_type": (
            "Whom the call is for. By the first choice it goes to another system where no "
            "registered device has the alias."
        ),
        "crypto_mode": (
            "Required refuses devices without encryption, Best effort encrypts where a device "
            "can. Empty: as in Global settings."
        ),
        "denoise_audio": ("Remove background noise on the way through. Kept for later: no node does it yet."),
        "disabled_codecs": ("Codecs that calls by this rule do not use. None: those of Global settings."),
        "enable": "A rule that is off stays in the list and is passed over.",
        "external_participant_avatar_lookup": (
            "Show pictures that other systems have of their participants. Kept for later: no node does it yet."
        ),
        "h323_gatekeeper": ("The call is sent to this gatekeeper. Empty: to the host that DNS names for the alias."),
        "live_captions_enabled": "Show in writing what is said. Kept for later: no node does it yet.",
        "match_incoming_calls": (
            "The rule is tried for calls from outside that no service and no registered device takes."
        ),
        "match_incoming_only_if_registered": "Only calls of devices and clients that are registered here.",
        "match_outgoing_calls": (
            "The rule is tried for calls that a conference places, where they are routed by Call Routing Rules."
        ),
        "match_source_location": ("Only calls that nodes of this location handle. Empty: calls of every location."),
        "match_string": ("Regular expression that the whole dialled alias has to match; case is ignored."),
        "match_string_full": (
            "Compare with the alias as it was dialled, scheme and parameters included, not with user@host alone."
        ),
        "max_callrate_in": (
            "Most that each side may send, in kbit/s (128 to 8192). Empty: the limit in Global settings."
        ),
        "max_callrate_out": (
            "Most that is sent to each side, in kbit/s (128 to 8192). Empty: the limit in Global settings."
        ),
        "max_pixels_per_second": (
            "Highest resolution of pictures; more of it takes more capacity. Empty: that of Global settings."
        ),
        "mssip_proxy": ("The call is sent to this server. Empty: DNS names it. Meetings by Conference ID need one."),
        "outgoing_location": "Nodes of this location place the call. Empty: chosen automatically.",
        "outgoing_protocol": "How other systems are called.",
        "priority": ("Rules are tried in this order, 1 first, until one matches. No two have the same number."),
        "replace_string": (
            "What is called instead; \\1 is what the first group in brackets matched. Empty: the alias as it is."
        ),
        "sip_proxy": ("The call is sent to this proxy. Empty: to the host that DNS names for the alias."),
        "stun_server": ("Tells nodes their public address, for callers that use ICE. Empty: that of the location."),
        "tag": "A mark of your own. Status, history and call records show it.",
        "treat_as_trusted": (
            "Tell the other system that callers belong to its own organization. Kept for later: no node does it yet."
        ),
        "turn_server": (
            "Relays media of callers that use ICE, where nothing else gets through. Empty: that of the location."
        ),
    },
    "globalsettings": {
        "aws_access_key": (
            "Names the account at Amazon Web Services that may start nodes. Kept for later: no node does it yet."
        ),
        "aws_secret_key": ("Secret that goes with the access key ID. Kept for later: no node does it yet."),
        "azure_client_id": (
            "Names the application at Microsoft Azure that may start nodes. Kept for later: no node does it yet."
        ),
        "azure_secret": ("Secret that goes with the client ID. Kept for later: no node does it yet."),
        "azure_subscription_id": (
            "Subscription that started nodes are charged to. Kept for later: no node does it yet."
        ),
        "azure_tenant": (
            "Directory at Microsoft Azure that the application belongs to. Kept for later: no node does it yet."
        ),
        "bdpm_max_pin_failures_per_window": ("How many wrong PINs there may be at a service in 10 minutes (5 to 200)."),
        "bdpm_max_scan_attempts_per_window": "How many wrong aliases somebody may try in 10 minutes (5 to 200).",
        "bdpm_pin_checks_enabled": ("Refuse entry to a service for some minutes once too many wrong PINs came in."),
        "bdpm_scan_quarantine_enabled": ("Refuse for some minutes who has tried too many aliases that do not exist."),
        "bursting_enabled": (
            "Start nodes at a cloud provider when capacity runs short. Kept for later: no node does it yet."
        ),
        "bursting_min_lifetime": (
            "How long a started node is kept at least, in minutes (from 5). Kept for later: no node does it yet."
        ),
        "bursting_threshold": (
            "A node is started when a location has room for this many HD calls or fewer. Kept "
            "for later: no node does it yet."
        ),
        "cloud_provider": "Where nodes are started. Kept for later: no node does it yet.",
        "contact_email_address": "Who can be asked about reports of problems. Empty: nobody.",
        "content_security_policy_header": (
            "What browsers may load beside the web app of nodes, as the header of that name says "
            "it. Kept for later: no node does it yet."
        ),
        "content_security_policy_state": (
            "Nodes send the policy above to browsers. Kept for later: no node does it yet."
        ),
        "crypto_mode": (
            "Required refuses devices without encryption, Best effort encrypts where a device can. Services may differ."
        ),
        "default_theme": (
            "What participants of services without a theme of their own see and hear. Empty: the built-in one."
        ),
        "default_webapp_alias": "Web app of those who name no path in their address.",
        "disabled_codecs": "Codecs that calls do not use.",
        "eject_last_participant_backstop_timeout": (
            "How long one participant may stay alone, in seconds: 60 to 86400, or 0 without limit."
        ),
        "enable_analytics": ("Send how the platform is used, without names. Kept for later: no node does it yet."),
        "enable_application_api": ("The web app, other apps and programs may join conferences and control them."),
        "enable_breakout_rooms": "Hosts may split conferences of services that allow it into groups.",
        "enable_chat": ("Participants may write to each other, where a service says nothing else."),
        "enable_clock": ("Show how long the conference has lasted. Kept for later: no node does it yet."),
        "enable_denoise": ("Services may remove background noise. Kept for later: no node does it yet."),
        "enable_dialout": ("Calls that the platform places: from conferences, and through Call Routing Rules."),
        "enable_directory": "Registered clients find services and devices by their names.",
        "enable_edge_non_mesh": (
            "Edge nodes keep connections to the nodes they need only. Kept for later: no node does it yet."
        ),
        "enable_fecc": "Participants may move cameras of room systems that let them.",
        "enable_h323": "Calls and registrations by H.323.",
        "enable_legacy_dialout_api": (
            "Older clients may dial out where no Call Routing Rule leads. Kept for later: no node does it yet."
        ),
        "enable_lync_auto_escalate": (
            "Give audio calls of Skype for Business video without being asked. Kept for later: no node does it yet."
        ),
        "enable_lync_vbss": (
            "Screens are shared with Skype for Business as video, not by RDP. Kept for later: no node does it yet."
        ),
        "enable_mlvad": ("Tell speech from noise with more care. Kept for later: no node does it yet."),
        "enable_rtmp": "Conferences may be streamed by RTMP.",
        "enable_sip": ("Calls by SIP over TCP and TLS. Nodes accept or refuse them once restarted."),
        "enable_sip_udp": (
            "Incoming calls by SIP over UDP, which draws unwanted calls. Nodes accept or refuse them once restarted."
        ),
        "enable_softmute": ("Services may make those quieter who do not speak. Kept for later: no node does it yet."),
        "enable_ssh": ("Administrators may log in to the machines over SSH. Kept for later: no node does it yet."),
        "enable_turn_443": (
            "Nodes relay media on TCP port 443 for clients behind strict firewalls. Kept for "
            "later: no node does it yet."
        ),
        "enable_webrtc": "Calls of browsers and of apps.",
        "error_reporting_enabled": (
            "Send reports of problems to the address below. Kept for later: no node does it yet."
        ),
        "error_reporting_url": (
            "Where reports of problems are sent, https://…. Empty: nowhere. Kept for later: no node does it yet."
        ),
        "es_connection_timeout": (
            "How long an event sink may take to answer, in seconds (1 to 600). Kept for later: no node does it yet."
        ),
        "es_initial_retry_backoff": (
            "How long it takes until an event sink that failed is tried again, in seconds (1 to "
            "3600). Kept for later: no node does it yet."
        ),
        "es_maximum_retry_backoff": (
            "The delay doubles up to this, then sending stops, in seconds (1 to 86400). Kept for "
            "later: no node does it yet."
        ),
        "es_media_streams_wait": (
            "How long after a call its last figures are waited for, in seconds (0 to 60). Kept "
            "for later: no node does it yet."
        ),
        "es_metrics_update_interval": (
            "How often figures of media are sent, in seconds (up to 3600); 0: never. Kept for "
            "later: no node does it yet."
        ),
        "es_short_term_memory_expiration": (
            "How long events are kept for event sinks that are late, in seconds (0 to 3600). "
            "Kept for later: no node does it yet."
        ),
        "external_participant_avatar_lookup": (
            "Show pictures that other systems have of their participants. Kept for later: no node does it yet."
        ),
        "gcp_client_email": (
            "Service account at Google Cloud that may start nodes, as an e-mail address. Kept "
            "for later: no node does it yet."
        ),
        "gcp_private_key": ("Private key of that account in PEM form. Kept for later: no node does it yet."),
        "gcp_project_id": ("Project that started nodes belong to. Kept for later: no node does it yet."),
        "guests_only_timeout": ("How long Guests may stay once the last Host has left, in seconds (0 to 86400)."),
        "legacy_api_password": ("The password that goes with that name. Kept for later: no node does it yet."),
        "legacy_api_username": (
            "With what systems that do not use the management API sign in. Empty: they cannot. "
            "Kept for later: no node does it yet."
        ),
        "live_captions_vmr_default": (
            "Show in writing what is said, unless a service says no. Kept for later: no node does it yet."
        ),
        "liveview_show_conferences": (
            "Live View shows conferences beside nodes and locations. Kept for later: no node does it yet."
        ),
        "local_mssip_domain": (
            "Domain whose calls Skype for Business sends here. Empty: none. Kept for later: no node does it yet."
        ),
        "logon_banner": ("Plain text on the login page, for example who may use this system. Empty: none."),
        "logs_max_age": "Days that logs and history are kept (up to 3650); 0: without limit.",
        "management_qos": (
            "Marks packets of administration for routers that sort by it (0 to 63). Empty or 0: "
            "no mark. Kept for later: no node does it yet."
        ),
        "management_session_timeout": (
            "After how long without use administrators are logged out, in minutes (5 to 1440)."
        ),
        "management_start_page": ("Path of the page that comes after the login, for example /admin/status/live/."),
        "max_callrate_in": (
            "Most that each participant may send, in kbit/s (128 to 8192), where a service has "
            "no limit. Empty: no limit."
        ),
        "max_callrate_out": (
            "Most that is sent to each participant, in kbit/s (128 to 8192), where a service has "
            "no limit. Empty: no limit."
        ),
        "max_pixels_per_second": (
            "Highest resolution of pictures, where a service says nothing else. Full HD takes "
            "about twice the capacity of HD. It holds for conferences that begin later."
        ),
        "max_presentation_bandwidth_ratio": (
            "How much of what a participant is sent may be shared content, in percent (25 to 75)."
        ),
        "media_ports_end": ("Last port for media (10000 to 49999). Takes effect once nodes are restarted."),
        "media_ports_start": (
            "First port for media (10000 to 49999). The range holds 100 ports or more and does "
            "not overlap that of signalling."
        ),
        "min_pin_length": ("How many digits new PINs need at least (4 to 20). Kept for later: no node does it yet."),
        "ocsp_responder_url": ("Who is asked by the last choice, or where a certificate names nobody. Empty: nobody."),
        "ocsp_state": (
            "Ask whether certificates of SIP peers were revoked: not, the responder they name, or always the one below."
        ),
        "pin_entry_timeout": ("How long participants may take to enter a PIN, in seconds (30 to 86400)."),
        "session_timeout_enabled": "Off: administrators stay logged in however long they do nothing.",
        "signalling_ports_end": (
            "Last port that nodes send signalling from (10000 to 49999). Takes effect once nodes are restarted."
        ),
        "signalling_ports_start": (
            "First port that nodes send signalling from (10000 to 49999). Takes effect once nodes are restarted."
        ),
        "sip_tls_cert_verify_mode": "Refuse SIP peers whose certificate comes from no trusted authority.",
        "site_banner": ("A line on top of every page, for example which system this is. Empty: none."),
        "site_banner_bg": "Colour behind the banner, as in #c0c0c0.",
        "site_banner_fg": "Colour of the banner's text, as in #000000.",
        "teams_enable_powerpoint_render": (
            "Show slides that are shared live in meetings of Microsoft Teams. Kept for later: no node does it yet."
        ),
        "waiting_for_chair_timeout": (
            "How long Guests wait for a Host before they are sent away, in seconds (0 to 86400)."
        ),
    },
    "systemlocation": {
        "bdpm_pin_checks_enabled": ("Refuse entry to a service for some minutes once too many wrong PINs came in."),
        "bdpm_scan_quarantine_enabled": ("Refuse for some minutes who has tried too many aliases that do not exist."),
        "client_turn_servers": (
            "Relays that web clients are told to use where nothing else gets through. None: they use none."
        ),
        "http_proxy": "Nodes here send requests to the internet through it. Empty: directly.",
        "local_mssip_domain": (
            "Domain that calls to Skype for Business come from. Empty: that of Global settings. "
            "Kept for later: no node does it yet."
        ),
        "media_qos": ("Marks media packets for routers that sort by it (0 to 63). Empty or 0: no mark."),
        "mtu": "Largest packet that nodes here send, in bytes (512 to 1500).",
        "policy_server": ("Is asked about calls to the nodes here. Empty: the platform decides by itself."),
        "signalling_qos": ("Marks signalling packets for routers that sort by it (0 to 63). Empty or 0: no mark."),
        "use_relay_candidates_only": (
            "Web clients send media through TURN servers only, never directly. Kept for later: no node does it yet."
        ),
    },
    "workervm": {
        "deployment_type": (
            "How the machine is set up; with the default, by the configuration file that this page offers."
        ),
        "node_type": ("Whether the node composes media, or passes on that of others, as at the edge of a network."),
        "system_location": ("Decides which servers, proxies and neighbours the node uses. A change ends its calls."),
    },
}


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0004_static_nat_help"),
    ]

    operations = [
        Describe(TEXTS),
    ]
