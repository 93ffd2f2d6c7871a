from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("vault", "0005_message_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="loss_told_at",
            field=models.DateTimeField(null=True),
        ),
    ]
