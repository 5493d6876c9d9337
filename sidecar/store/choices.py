"""The tables of what people set and chose, and of what rests; as `tables` has the others."""

from __future__ import annotations

import peewee

from sidecar.store.fields import MomentField


class RuleSettingsRow(peewee.Model):
    """What a rule does otherwise on one device."""

    device_id = peewee.TextField()
    rule = peewee.TextField()
    changed = peewee.TextField()

    class Meta:
        """Where it is."""

        table_name = "rule_settings"
        primary_key = peewee.CompositeKey("device_id", "rule")


class DeviceSettingsRow(peewee.Model):
    """What was changed for one device."""

    device_id = peewee.TextField(primary_key=True)
    changed = peewee.TextField()

    class Meta:
        """Where it is."""

        table_name = "device_settings"


class ExclusionRow(peewee.Model):
    """An item that a person does not want from one rule."""

    user_id = peewee.TextField()
    device_id = peewee.TextField()
    rule = peewee.TextField()
    item_id = peewee.TextField()
    created_at = MomentField()

    class Meta:
        """Where it is."""

        table_name = "exclusions"
        primary_key = peewee.CompositeKey("user_id", "device_id", "rule", "item_id")


class ChosenPlaylistRow(peewee.Model):
    """A playlist that a person wants on a device."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    playlist_id = peewee.TextField()
    title = peewee.TextField()

    class Meta:
        """Where it is."""

        table_name = "chosen_playlists"


class PlaylistOrderRow(peewee.Model):
    """What is on a playlist, as an account listed it last."""

    user_id = peewee.TextField()
    playlist_id = peewee.TextField()
    items = peewee.TextField()
    missing_since = MomentField(null=True)
    is_gone = peewee.BooleanField(default=False)

    class Meta:
        """Where it is."""

        table_name = "playlist_orders"
        primary_key = peewee.CompositeKey("user_id", "playlist_id")


class BesideRow(peewee.Model):
    """A finished file whose cover, lyrics and subtitles were looked for."""

    download_id = peewee.IntegerField(primary_key=True)
    completed_at = MomentField()

    class Meta:
        """Where it is."""

        table_name = "beside"


class RestRow(peewee.Model):
    """An item that was evicted and rests."""

    device_id = peewee.TextField()
    item_id = peewee.TextField()
    until = MomentField()

    class Meta:
        """Where it is."""

        table_name = "rests"
        primary_key = peewee.CompositeKey("device_id", "item_id")
