"""Socket.IO: who hears what, and when."""
