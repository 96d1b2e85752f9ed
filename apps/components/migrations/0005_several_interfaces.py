"""Since when a machine is on or off, which interfaces are kept apart, and hardware UUIDs compared in one byte order."""

import uuid

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def in_one_order(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Bring the identifying UUIDs that are kept into the form in which they are compared from now on."""
    ids = apps.get_model("components", "MachineId")
    changed = []
    for row in ids.objects.filter(kind="uuid").iterator(2000):
        value = uuid.UUID(row.value)
        key = str(min(value, uuid.UUID(bytes=value.bytes_le)))
        if key != row.value:
            row.value = key
            changed.append(row)
    ids.objects.bulk_update(changed, ["value"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("components", "0004_sections_of_the_inventory"),
    ]

    operations = [
        migrations.AddField(
            model_name="component",
            name="power_since",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="power state since"),
        ),
        migrations.AddField(
            model_name="managementinterface",
            name="kept_apart",
            field=models.BooleanField(default=False, editable=False, verbose_name="kept apart"),
        ),
        migrations.RunPython(in_one_order, migrations.RunPython.noop, elidable=True),
    ]
