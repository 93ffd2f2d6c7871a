from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_live_number"),
    ]

    operations = [
        migrations.AddField(
            model_name="featurechoice",
            name="by_staff",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
