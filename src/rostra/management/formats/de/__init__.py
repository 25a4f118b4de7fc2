"""German: dates as everywhere else on the site, so that they can be compared."""
