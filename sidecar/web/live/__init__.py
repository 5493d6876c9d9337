"""The live connection: pushes changes to open pages by Socket.IO."""
