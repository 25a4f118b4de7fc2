"""The manual in the site: docs/ of this version as pages, without a connection to the internet (PLAT-165)."""
