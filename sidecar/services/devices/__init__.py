"""The devices: attached or not, their settings, who uses them, room that is promised."""
