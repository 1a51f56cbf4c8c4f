"""Step types of one's own: versioned documents that pipelines use by ``type: account/name``."""
