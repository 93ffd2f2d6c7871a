from django.db import migrations

from apps.vault.messages.operations import RenewKeptWords


class Migration(migrations.Migration):

    dependencies = [
        ("chat", "0008_vectors_anew"),
    ]

    operations = [
        RenewKeptWords("message", "messageword"),
    ]
