"""How the site writes values, by language."""
