"""What fills the room that other rules leave: what is probably played next, and a choice of it."""
