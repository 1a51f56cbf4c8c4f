"""Reports about builds: how many, how many went well, how long they took."""
