"""What happened on the platform: taken from the nodes' outboxes, kept by the Management Node alone."""
