"""Floor control between a conference and systems with a second video stream (RFC 8855), without I/O."""
