import apps.accounts.identifiers
import apps.accounts.tenancy.scope
import apps.vault.fields
import apps.vault.messages.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from apps.accounts.tenancy.operations import ProtectTable
from apps.vault.messages.operations import KeepWords


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0005_metering'),
    ]

    operations = [
        migrations.CreateModel(
            name='LetterWord',
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
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.UUIDField(default=apps.accounts.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('is_searchable', models.BooleanField(default=True, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('content', apps.vault.fields.EncryptedTextField()),
                ('fingerprint', apps.vault.fields.BlindIndexField(normalise='apps.vault.normalise.said', source='content')),
                ('words', apps.vault.messages.fields.WordsField(size=None, source='content')),
                ('folder', models.CharField(default='in', max_length=40)),
                ('account', models.ForeignKey(db_index=False, default=apps.accounts.tenancy.scope.current_account_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['account', 'folder', '-id'], name='letter_by_folder')],
            },
        ),
        ProtectTable("letter"),
        ProtectTable("letterword"),
        KeepWords("letter", "letterword"),
    ]
