"""A real PySpark with the real agent on this machine, whose lake is a folder with Azure's names."""
