"""The engine that is built in (`threads`): fetches files over HTTP connections that it keeps."""
