from django.db import migrations

from apps.vault.messages.operations import RenewKeptWords


class Migration(migrations.Migration):

    dependencies = [
        ("chat", "0006_index_project"),
    ]

    operations = [
        RenewKeptWords("message", "messageword"),
    ]
