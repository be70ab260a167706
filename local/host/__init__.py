"""A local function host: drives the functions of a function_app.py as Azure Functions would.

It imports the app, reads the functions' own metadata, host.json and local.settings.json, and serves HTTP,
blob, queue and timer triggers against real storage (Azurite). It follows the sources of the host and of the storage
extension, so that tests against it are valid for Azure: routes and keys, dropped chunked bodies, the blob trigger's
queue, its five attempts and its poison queue, at-least-once delivery.

Not supported, unlike in Azure: output bindings, retry policies, deferred bindings, HTTP streams,
identity-based connections, scale controller and more than one worker process.

    python -m local.host --app-dir . --port 0
"""
