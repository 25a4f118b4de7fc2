"""GStreamer's namespaces, and Pango's, in the versions we are written for. The only module that chooses versions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import gi

for _namespace, _version in (
    ("Gst", "1.0"),
    ("GstNet", "1.0"),
    ("GstSdp", "1.0"),
    ("GstWebRTC", "1.0"),
    ("Gio", "2.0"),
    ("Nice", "0.1"),
    ("Pango", "1.0"),
    ("PangoCairo", "1.0"),
):
    gi.require_version(_namespace, _version)

# introspected at run time: there is nothing a type checker could know of them
Gst: Any = import_module("gi.repository.Gst")
GstNet: Any = import_module("gi.repository.GstNet")
GstSdp: Any = import_module("gi.repository.GstSdp")
GstWebRTC: Any = import_module("gi.repository.GstWebRTC")
Gio: Any = import_module("gi.repository.Gio")
Nice: Any = import_module("gi.repository.Nice")
Pango: Any = import_module("gi.repository.Pango")
PangoCairo: Any = import_module("gi.repository.PangoCairo")
GLib: Any = import_module("gi.repository.GLib")
