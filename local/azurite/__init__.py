"""Azurite, the storage emulator, as a part of the local stack: blobs, queues and tables on one machine.

`package.json` pins its version; `make install` puts it into `node_modules` beside this file. It runs under
the node that comes with a Python package, so no node needs to be installed.
"""

from local.azurite.runner import ACCOUNT_KEY, ACCOUNT_NAME, Azurite, AzuritePorts

__all__ = ["ACCOUNT_KEY", "ACCOUNT_NAME", "Azurite", "AzuritePorts"]
