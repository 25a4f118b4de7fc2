"""Call Routing Rules in the site: what they would do with a call, and what they let everybody do."""
