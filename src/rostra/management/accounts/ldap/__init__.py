"""Administrators of an LDAP directory or Active Directory."""

import importlib
import warnings

with warnings.catch_warnings(action="ignore"):  # ldap3 is older than the ASN.1 library it uses
    importlib.import_module("ldap3")
