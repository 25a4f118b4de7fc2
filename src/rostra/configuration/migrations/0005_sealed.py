"""What was kept in plain text so far is sealed."""

from typing import Any

from django.db import migrations

from rostra.configuration import sealing

SECRETS = {
    "WorkerVM": ("password", "snmp_authentication_password", "snmp_privacy_password"),
    "GlobalSettings": ("legacy_api_password", "aws_secret_key", "azure_secret", "gcp_private_key", "pss_token"),
}


def seal(apps: Any, schema_editor: Any) -> None:
    """Saving seals. Nodes that do not know the key yet take a snapshot after the upgrade anyway."""
    try:
        sealing.platform_key()
    except sealing.Locked:
        return
    alias = schema_editor.connection.alias
    for model, fields in SECRETS.items():
        for row in apps.get_model("configuration", model).objects.using(alias).all():
            row.save(using=alias, update_fields=fields)


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0004_system"),
    ]

    operations = [
        migrations.RunPython(seal, migrations.RunPython.noop),
    ]
