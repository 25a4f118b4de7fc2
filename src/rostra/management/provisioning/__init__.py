"""Meeting rooms, device aliases and users made from a directory, and mail to their owners."""
