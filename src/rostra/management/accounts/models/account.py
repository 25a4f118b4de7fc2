"""Accounts of administrators: local ones, and those a directory vouches for."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Subquery
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from rostra.configuration.fields import flag, several
from rostra.management.accounts.ldap import names
from rostra.management.accounts.models.authentication import AuthenticationSettings
from rostra.management.accounts.models.mapping import RoleMapping
from rostra.management.accounts.permissions import PERMISSIONS, Holder, effective

LAST_ADMINISTRATOR = gettext_lazy("This is the last full administrator; there has to be one.")


class Accounts(BaseUserManager["Account"]):
    """All accounts, with what the platform says about signing in in the same query."""

    def get_queryset(self) -> Any:
        settings = AuthenticationSettings.objects.filter(pk=1)
        return (
            super()
            .get_queryset()
            .annotate(
                source=Subquery(settings.values("source")[:1]),
                basic_disabled=Subquery(settings.values("api_oauth2_disable_basic")[:1]),
            )
        )

    def create_user(self, username: str, password: str | None = None, **values: Any) -> Account:
        """A local account."""
        account = self.model(username=username, **values)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, username: str, password: str | None = None, **values: Any) -> Account:
        """A local account that may do everything."""
        return self.create_user(username, password, is_superuser=True, **values)

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(username=username, directory=False)


class Account(Holder, AbstractBaseUser):
    """An administrator. That of a directory is made when he first signs in."""

    username = models.CharField(
        "Username",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text="What is entered at the login. Upper and lower case differ. It cannot be changed later.",
        error_messages={"unique": "An account with this username already exists."},
    )
    directory = flag("From the directory", "The directory checks the password and says the groups.", default=False)
    groups = models.JSONField(
        "Groups", default=list, blank=True, editable=False, help_text="In the directory, at the last login."
    )
    identity = models.CharField(max_length=100, blank=True, default="", editable=False)
    """Which entry of the directory it stands for."""
    is_superuser: Any = flag("Full administrator", "May do everything, whatever the roles.", default=False)
    is_active: Any = flag("Enabled", "May sign in.", default=True)
    roles = several(
        "Roles", "accounts.Role", "What this account may do: the sum of its roles.", related_name="accounts"
    )
    creation_time = models.DateTimeField("Creation time", auto_now_add=True, help_text="When this was created, in UTC.")

    objects: ClassVar = Accounts()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = []

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - Django's base has one too
        verbose_name = "Account"
        ordering: ClassVar = ["username"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["username", "directory"],
                name="accounts_account_username",
                violation_error_message="An account with this username already exists.",
            ),
            models.UniqueConstraint(
                fields=["identity"], condition=~models.Q(identity=""), name="accounts_account_identity"
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @cached_property
    def permissions(self) -> frozenset[str]:  # type: ignore[override] - read anew for each request
        """Codenames of all it may do, by all its roles (SYS-072)."""
        if self.is_superuser and not self.directory:
            return frozenset(PERMISSIONS)
        if not self.directory:
            return effective(set(self.roles.values_list("permissions__codename", flat=True)) - {None})
        mine = {names.normal(group) for group in self.groups}
        mapped = RoleMapping.objects.filter(source=RoleMapping.LDAP)
        granted = mapped.values_list("value", "roles__permissions__codename")
        return effective({codename for value, codename in granted if codename and names.normal(value) in mine})

    @property
    def may_sign_in(self) -> bool:
        """Is it enabled, and does the platform look for accounts where this one is (SYS-048...SYS-050)?"""
        source = getattr(self, "source", None) or AuthenticationSettings.LOCAL
        wanted = AuthenticationSettings.LDAP if self.directory else AuthenticationSettings.LOCAL
        return self.is_active and wanted in source.split("+")

    def clean(self) -> None:
        super().clean()
        if self.pk and self.is_last_administrator() and not (self.is_superuser and self.is_active):
            raise ValidationError(LAST_ADMINISTRATOR)

    def is_last_administrator(self) -> bool:
        """Would nobody be left who may do everything if this account were gone?"""
        full = Account.objects.filter(is_superuser=True, is_active=True, directory=False)
        return full.filter(pk=self.pk).exists() and not full.exclude(pk=self.pk).exists()
