from django.db import migrations, models

import rostra.configuration.models.themes
import rostra.configuration.validators


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0009_certificates_decoded"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="conferencealias",
            options={"ordering": ["view_order", "id"], "verbose_name": "Alias", "verbose_name_plural": "Aliases"},
        ),
        migrations.AlterField(
            model_name="conferencealias",
            name="view_order",
            field=models.IntegerField(
                default=0,
                help_text="Place among the aliases of the service; of equal ones the older is first.",
                verbose_name="View order",
            ),
        ),
        migrations.AlterField(
            model_name="ivrtheme",
            name="uuid",
            field=models.CharField(
                default=rostra.configuration.models.themes.new_uuid,
                editable=False,
                help_text="What the theme is known by.",
                max_length=50,
                unique=True,
                validators=[rostra.configuration.validators.slug],
                verbose_name="Identity",
            ),
        ),
        migrations.AlterField(
            model_name="webappbranding",
            name="uuid",
            field=models.CharField(
                default=rostra.configuration.models.themes.new_uuid,
                help_text="What the branding is known by. Cannot be changed later.",
                max_length=50,
                unique=True,
                validators=[rostra.configuration.validators.slug],
                verbose_name="Identity",
            ),
        ),
    ]
