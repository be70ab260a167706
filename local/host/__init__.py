"""A local function host: drives the functions of a function_app.py as Azure Functions would.

It imports the app, reads the functions' own metadata, host.json and local.settings.json, and serves HTTP,
blob, queue and timer triggers against real storage (Azurite). What it does follows the host's and the
storage extension's sources, so that a test against it says something about Azure: routes and keys, dropped
chunked bodies, the blob trigger's queue, its five attempts and its poison queue, at-least-once delivery.

What Azure has and this host doesn't: output bindings, retry policies, deferred bindings, HTTP streams,
identity-based connections, scale controller and more than one worker process.

    python -m local.host --app-dir . --port 0
"""
