"""Small things that know nothing of CI: ids, clock, masking, crypto, text."""
