"""The API: what an agency's own programs may ask of Concord, over HTTP and JSON, each in its agency's name."""
