"""Themes on the Management Node: uploads judged, packages handed out, screens of PIN entry generated."""
