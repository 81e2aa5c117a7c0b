"""The command line: make the file of secrets, print what a driver needs, or serve."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

from upstream import calls, secrets
from upstream.certificates import Authority
from upstream.journal import Journal
from upstream.server import Rig
from upstream.services import hosts
from upstream.state import State


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="upstream", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    make = verbs.add_parser("secrets", help="make the file of secrets from a seed")
    make.add_argument("--seed", default="1")
    make.add_argument("file", type=Path)
    make.set_defaults(run=_secrets)
    for name, run, text in (("creates", _creates, "the bodies that make connections"), ("calls", _calls, "calls through them"), ("hosts", _hosts, "every host that the rig plays")):
        told = verbs.add_parser(name, help=f"print, as JSON, {text}")
        told.add_argument("file", type=Path)
        told.set_defaults(run=run)
    serve = verbs.add_parser("serve", help="play the services until told to stop")
    serve.add_argument("--secrets", type=Path, required=True)
    serve.add_argument("--ca", type=Path, required=True, help="where to write the authority that clients must trust")
    serve.add_argument("--journal", type=Path, required=True)
    serve.add_argument("--ports", type=Path, help="where to write the ports, as JSON, once they are open")
    serve.add_argument("--address", default="127.0.0.1")
    serve.add_argument("--tls-port", type=int, default=0)
    serve.add_argument("--clear-port", type=int, default=0)
    serve.set_defaults(run=lambda options: asyncio.run(_serve(options)))
    options = parser.parse_args(arguments)
    options.run(options)


def _secrets(options):
    options.file.touch(mode=0o600)
    options.file.write_text(json.dumps(secrets.make(options.seed), indent=1))


def _creates(options):
    known = secrets.read(options.file)
    for one in known["identities"]:
        method, path, body = secrets.create_request(one, f"rig_{one['type']}_{one['variant']}", "rig_integration")
        print(json.dumps({"type": one["type"], "variant": one["variant"], "method": method, "path": path, "body": body}))


def _calls(options):
    for call in calls.every(secrets.read(options.file)):
        print(json.dumps(call))


def _hosts(options):
    print(json.dumps(hosts(secrets.read(options.file))))


async def _serve(options):
    authority = Authority()
    authority.write(options.ca)
    with contextlib.closing(Journal(options.journal)) as journal:
        rig = Rig(State(secrets.read(options.secrets)), journal, authority)
        tls, clear = await rig.listen(options.address, options.tls_port, options.clear_port)
        ports = json.dumps({"tls": tls, "clear": clear, "pid": os.getpid()})
        if options.ports:
            # Whole or not there: somebody waits for it.
            new = options.ports.with_suffix(".new")
            new.write_text(ports)
            new.rename(options.ports)
        print(ports, flush=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        await rig.close()
