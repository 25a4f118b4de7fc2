"""Django's settings of the Management Node, from the process environment."""

from __future__ import annotations

import secrets
import urllib.parse
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from rostra.configuration import local, resources, sealing
from rostra.environment import Environment, EnvironmentProblem
from rostra.management import limits

_HERE = Path(__file__).parent


def configure(environment: Environment) -> None:
    """Configure Django for this process; once, before anything of Django's is used."""
    if not settings.configured:
        settings.configure(**_settings(environment))
        sealing.unlock(sealing.make_key(sealing.key_file(environment.management_home.resolve())))
    django.setup()
    resources.load()


def _settings(environment: Environment) -> dict[str, Any]:
    home = environment.management_home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    return {
        "ROSTRA": environment,
        "DEBUG": False,
        "SECRET_KEY": secret_key(home / "secret.key"),
        "ALLOWED_HOSTS": ["*"],  # certificates and addresses are the administrator's choice; nothing builds on Host
        "DATABASES": {"default": database(environment.database_url, home / "management.db")},
        "INSTALLED_APPS": [
            "unfold.apps.BasicAppConfig",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "rostra.management.apps.ManagementAdminConfig",
            local.APP,
            "rostra.management.accounts.apps.AccountsConfig",
            "rostra.management.history.apps.HistoryConfig",
            "rostra.management.alarms.apps.AlarmsConfig",
            "rostra.management.licences.apps.LicencesConfig",
            "rostra.management.audit.apps.AuditConfig",
            "rostra.management.backups.apps.BackupsConfig",
            "rostra.management.upgrades.apps.UpgradesConfig",
            "rostra.management.provisioning.apps.ProvisioningConfig",
            "rostra.management.apps.ManagementConfig",
        ],
        "MIDDLEWARE": [
            "rostra.management.patience.bound_requests",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "rostra.management.middleware.speak",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "rostra.management.accounts.sessions.end_idle",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "rostra.management.audit.actor.know_actor",
            "rostra.management.middleware.announce_changes",
        ],
        "ROOT_URLCONF": "rostra.management.urls",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [_HERE / "templates"],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English"), ("de", "Deutsch")],
        "LOCALE_PATHS": [_HERE / "locale"],
        "FORMAT_MODULE_PATH": "rostra.management.formats",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "STATIC_URL": "/static/",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "AUTH_USER_MODEL": "accounts.Account",
        "AUTHENTICATION_BACKENDS": ["rostra.management.accounts.backend.Accounts"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "LOGIN_URL": reverse_lazy("admin:login"),
        "LOGIN_REDIRECT_URL": reverse_lazy("admin:index"),
        "LOGGING_CONFIG": None,  # the process has set up its log already
        "DATA_UPLOAD_MAX_MEMORY_SIZE": limits.GENERAL,  # what is larger does not get here
        "FILE_UPLOAD_TEMP_DIR": str(_private(home / "uploads")),  # backups and keys pass through it
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 5000,
        "UNFOLD": _unfold(),
    }


def _private(directory: Path) -> Path:
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def secret_key(file: Path) -> str:
    """The key that signs sessions; made on first use, readable by us only."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48))
    return file.read_text()


def database(url: str, file: Path) -> dict[str, object]:
    """Django's settings for `postgres://user:password@host:port/name`, or for SQLite at `file`.

    A host that is the directory of a socket has its slashes written as %2F, as libpq has it. Raises
    EnvironmentProblem for any other URL.
    """
    if not url:
        file.touch(mode=0o600)
        return local.sqlite(file)
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise EnvironmentProblem("ROSTRA_DATABASE_URL has to look like postgres://user:password@host:5432/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": urllib.parse.unquote(parts.username or ""),
        "PASSWORD": urllib.parse.unquote(parts.password or ""),
        "HOST": _host(parts),
        "PORT": str(parts.port or ""),
        "OPTIONS": _ATTENTION,
        "CONN_MAX_AGE": 0,  # every request has a thread of its own: a kept connection would never be used again
    }


_ATTENTION = {"connect_timeout": 5, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, after which a server that says nothing counts as gone: when connecting, and when it has been quiet."""


def _host(parts: urllib.parse.SplitResult) -> str:
    """The host as it was written: `hostname` has small letters only, which a path may not have."""
    written = parts.netloc.rpartition("@")[2]
    return urllib.parse.unquote(written.partition(":")[0]) if written[:1] == "%" else parts.hostname or ""


def _unfold() -> dict[str, Any]:
    return {
        "SITE_TITLE": "Rostra",
        "SITE_HEADER": "Rostra",
        "SITE_SUBHEADER": gettext_lazy("Management Node"),
        "SITE_SYMBOL": "hub",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/rostra/favicon.svg"}],
        "STYLES": ["/static/rostra/menu.css"],
        "SCRIPTS": ["/static/rostra/labels.js", "/static/rostra/site.js"],
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "BORDER_RADIUS": "6px",
        "DASHBOARD_CALLBACK": "rostra.management.dashboard.dashboard",
        "COLORS": {
            "primary": {
                "50": "239 246 255",
                "100": "219 234 254",
                "200": "191 219 254",
                "300": "147 197 253",
                "400": "96 165 250",
                "500": "45 108 223",
                "600": "37 88 196",
                "700": "30 70 160",
                "800": "28 58 128",
                "900": "26 49 104",
                "950": "18 32 68",
            }
        },
        "LOGIN": {"form": "rostra.management.accounts.forms.LoginForm"},
        "SIDEBAR": {"show_search": True, "navigation": "rostra.management.menu.navigation"},
    }
