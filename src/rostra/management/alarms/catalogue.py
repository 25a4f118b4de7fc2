"""The kinds of alarms there are: how bad, what is wrong, what to do (sheet 07, DIAG-101…DIAG-120; sheet 10, 5)."""

from __future__ import annotations

import dataclasses

CRITICAL, ERROR, WARNING = "Critical", "Error", "Warning"


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alarm."""

    name: str
    """Its word in the API."""
    identifier: int
    """Its number in the API; never given to another kind."""
    level: str
    """`Critical`, `Error` or `Warning`."""
    title: str
    remedy: str
    """What an administrator can do, in a sentence or two."""


_KINDS = (
    Kind(
        "tls_certificate_missing_management",
        1,
        CRITICAL,
        "Management Node has no TLS certificate",
        "Upload a TLS certificate and assign it to the Management Node.",
    ),
    Kind(
        "tls_certificate_missing",
        2,
        CRITICAL,
        "Conferencing Node has no TLS certificate",
        "Upload a certificate, or take one that is there already, and assign it to the node. It should name the "
        "node's full DNS name among its alternative names.",
    ),
    Kind(
        "ntp_not_synchronised",
        3,
        ERROR,
        "NTP not synchronized",
        "Give the Management Node and every location NTP servers that they can reach.",
    ),
    Kind(
        "cpu_not_supported",
        4,
        CRITICAL,
        "CPU instruction set not supported",
        "The node is in maintenance mode. Run it on a machine whose processor offers AVX or AVX2.",
    ),
    Kind(
        "licenses_exhausted",
        5,
        WARNING,
        "License limit reached",
        "Calls are refused until others end. If it happens often, add licenses.",
    ),
    Kind("licenses_expiring", 6, WARNING, "Licenses expiring", "Renew the licenses that end within 60 days."),
    Kind(
        "capacity_exhausted",
        7,
        WARNING,
        "Call capacity limit reached",
        "Give the location more nodes, its nodes more CPUs, or the location others to overflow to.",
    ),
    Kind(
        "management_node_exhausted",
        8,
        WARNING,
        "Management Node limit reached",
        "Give the Management Node more memory and CPUs; it has too little for so many Conferencing Nodes.",
    ),
    Kind(
        "trustedca_expiring",
        9,
        WARNING,
        "Trusted CA certificates expiring",
        "Replace the trusted CA certificates that end within 30 days.",
    ),
    Kind(
        "tls_certificate_expiring",
        10,
        WARNING,
        "TLS certificates expiring",
        "Replace the TLS certificates that end within 30 days.",
    ),
    Kind(
        "tls_certificate_chains",
        11,
        WARNING,
        "Incomplete TLS certificate chains",
        "Upload the intermediate certificates that lead from the TLS certificate to its root CA.",
    ),
    Kind(
        "syslog_inaccessible",
        12,
        WARNING,
        "Syslog server inaccessible",
        "See whether the server runs, and whether firewalls let us connect to it.",
    ),
    Kind(
        "configuration_sync_failure",
        13,
        WARNING,
        "Configuration not synchronized",
        "See whether the node runs and whether it and the Management Node reach each other; every node has to reach "
        "every other one.",
    ),
    Kind(
        "connectivity_lost",
        14,
        WARNING,
        "Connectivity lost between nodes",
        "See whether the node runs and what is wrong with the network to it. While a node is upgraded this is normal.",
    ),
    Kind(
        "irregular_pulse",
        15,
        WARNING,
        "Hardware instability detected",
        "The machine stood still at times. Give it memory and CPU cores of its own.",
    ),
    Kind(
        "bursting_missing_pexip_node",
        16,
        WARNING,
        "Cloud-bursting node found, but no corresponding Conferencing Node configured",
        "Configure a Conferencing Node for the instance, or take the tag of this system off it.",
    ),
    Kind(
        "bursting_no_location_overflow",
        17,
        WARNING,
        "A location contains cloud bursting nodes, but no other location uses it for overflow",
        "Make it the primary overflow location of the locations whose nodes are always on.",
    ),
    Kind(
        "bursting_unauthorized_instance_failure",
        18,
        ERROR,
        "Not authorized to perform this operation",
        "Give the account at the cloud provider the right to list, start and stop instances.",
    ),
    Kind(
        "bursting_unauthorized_region_failure",
        19,
        ERROR,
        "Not authorized to list regions",
        "Give the account at the cloud provider the right to list regions.",
    ),
    Kind(
        "bursting_authentication_failure",
        20,
        ERROR,
        "Authentication failure while trying to communicate with the cloud provider",
        "Compare the credentials in the global settings with those of the account at the cloud provider.",
    ),
    Kind(
        "bursting_error",
        21,
        ERROR,
        "Cloud bursting process encountered an unexpected error",
        "See administrator.alarm in the administrator log and the support log for more.",
    ),
    Kind(
        "ldap_sync_failure",
        22,
        WARNING,
        "LDAP synchronization failed",
        "See the status of the synchronization, and whether the LDAP server is reachable.",
    ),
    Kind(
        "autobackup_upload_failed",
        23,
        WARNING,
        "Automatic backup failed",
        "See whether the place where backups go is reachable and takes them; the next backup tries again.",
    ),
    Kind(
        "eventsink_maximum_backoff",
        24,
        WARNING,
        "Event sink does not answer",
        "See whether the server behind the event sink runs, then start the event sink again.",
    ),
    Kind(
        "eventsink_maximum_posts",
        25,
        WARNING,
        "Event sink is too slow",
        "Events were dropped. Give the server behind the event sink more power, or send fewer events.",
    ),
    Kind(
        "possible_voip_scanner_ips_blocked",
        26,
        WARNING,
        "Possible VoIP scanners blocked",
        "Addresses that tried many aliases are refused for a while. Block them in the firewall if they persist.",
    ),
    Kind(
        "service_access_quarantined",
        27,
        WARNING,
        "Access to a service is quarantined",
        "There were too many wrong PINs. See who tried; the service opens again by itself.",
    ),
    Kind(
        "integrity_error",
        28,
        ERROR,
        "Damaged files or data",
        "See the details for what is damaged; restore it from a backup or install it again.",
    ),
    Kind(
        "fabric_message_refused",
        29,
        ERROR,
        "A machine says on the fabric what it must not",
        "What it said was not heeded. The instance names the machine: look whether somebody has broken into it; if in "
        "doubt, delete the node and install it anew.",
    ),
    Kind(
        "policy_profile_locked",
        30,
        ERROR,
        "Policy server is not asked",
        "The password of the policy profile that the instance names cannot be opened on the node. Enter it anew.",
    ),
    Kind(
        "processor_overloaded",
        31,
        WARNING,
        "Processor busier than its calls explain",
        "See whether something else runs on the machine or shares its processor, then measure the node anew with "
        "`rostra capacity --apply` while it carries no calls.",
    ),
    Kind(
        "disk_not_writable",
        32,
        ERROR,
        "Node cannot write to its disk",
        "Make room on the disk of the node, or see why it is read-only. Calls go on; its logs are lost meanwhile, and "
        "its history waits in memory.",
    ),
)
KINDS = {kind.name: kind for kind in _KINDS}
"""All kinds by name."""
