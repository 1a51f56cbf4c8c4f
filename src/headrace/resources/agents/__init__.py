"""Runner agents: processes elsewhere that hold a key and say that they are well."""
