"""Images that builds made, their tags and their metadata."""
