"""X.509 without Django: PEM files, what a certificate says, chains of trust, names, signing requests."""
