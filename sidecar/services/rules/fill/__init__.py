"""What fills the room that the other rules leave on a device."""
