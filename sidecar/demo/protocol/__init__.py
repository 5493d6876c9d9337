"""The wire format of Jellyfin's two versions: requests, replies, ranges, WebSocket."""
