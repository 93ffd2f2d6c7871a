import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    """A part of what is held may be free: new columns have a default, so nothing waits for it."""

    dependencies = [
        ('accounts', '0006_features'),
    ]

    operations = [
        migrations.AddField(
            model_name='price',
            name='free',
            field=models.DecimalField(blank=True, decimal_places=6, default=0, help_text='Units that cost nothing, of what is held in a month: memory_gb, vectors.', max_digits=18, validators=[django.core.validators.MinValueValidator(0)]),
        ),
    ]
