"""Who may administer the platform: accounts, roles, directories, API clients, and the watch over attempts to get in."""
