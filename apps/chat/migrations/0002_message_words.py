import apps.accounts.tenancy.scope
import apps.vault.messages.fields
import django.db.models.deletion
from django.db import migrations, models

from apps.accounts.tenancy.operations import ProtectTable
from apps.vault.messages.operations import KeepWords


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_metering'),
        ('chat', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='is_searchable',
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.AddField(
            model_name='message',
            name='words',
            field=apps.vault.messages.fields.WordsField(size=None, source='content'),
        ),
        migrations.CreateModel(
            name='MessageWord',
            fields=[
                ('pk', models.CompositePrimaryKey('account', 'word', 'message_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('word', models.BigIntegerField()),
                ('message_id', models.UUIDField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, default=apps.accounts.tenancy.scope.current_account_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        ProtectTable("messageword"),
        KeepWords("message", "messageword"),
    ]
