"""Makes the file of secrets, prints what a driver needs, or plays the services."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

from upstream import calls, secrets
from upstream.certificates import Authority
from upstream.drive import drive
from upstream.journal import Journal
from upstream.server import Rig
from upstream.services import CLEAR_HOSTS, hosts
from upstream.state import State


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="upstream", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    make = verbs.add_parser("secrets", help="make the file of secrets from a seed")
    make.add_argument("--seed", default="1")
    make.add_argument("file", type=Path)
    make.set_defaults(run=_secrets)
    for name, run, text in (
        ("creates", _creates, "the bodies that make connections"),
        ("calls", _calls, "calls through them"),
        ("hosts", _hosts, "every host that the rig plays"),
    ):
        told = verbs.add_parser(name, help=f"print, as JSON, {text}")
        told.add_argument("file", type=Path)
        told.set_defaults(run=run)
    driver = verbs.add_parser("drive", help="make every connection and every call through a running server")
    driver.add_argument("file", type=Path)
    driver.add_argument("--ports", type=Path, required=True)
    driver.add_argument("--journal", type=Path, required=True)
    driver.add_argument("--ca", type=Path, required=True)
    driver.set_defaults(run=_drive)
    config = verbs.add_parser("config", help="print settings that send a server's calls here")
    config.add_argument("file", type=Path)
    config.add_argument("--ports", type=Path, required=True)
    config.add_argument("--ca", type=Path, required=True)
    config.add_argument("--address", default="127.0.0.1")
    config.set_defaults(run=_config)
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
    return options.run(options)


def _secrets(options):
    options.file.touch(mode=0o600)
    options.file.write_text(json.dumps(secrets.make(options.seed), indent=1))


def _creates(options):
    known = secrets.read(options.file)
    for one in known["identities"]:
        method, path, body = secrets.create_request(one, f"rig_{one['type']}_{one['variant']}", "rig_integration")
        print(
            json.dumps({"type": one["type"], "variant": one["variant"], "method": method, "path": path, "body": body})
        )


def _calls(options):
    for call in calls.every(secrets.read(options.file)):
        print(json.dumps(call))


def _hosts(options):
    print(json.dumps(hosts(secrets.read(options.file))))


def _drive(options):
    failures, connections, count = drive(
        secrets.read(options.file), options.journal, json.loads(options.ports.read_text()), options.ca
    )
    print("\n".join([*failures, f"{connections} connections, {count} calls, {len(failures)} failures"]))
    return 1 if failures else 0


def _config(options):
    principal = secrets.read(options.file)["principal"]
    print('[aws]\nregion = "us-east-1"')
    for theirs, ours in (("principal_id", "account_id"), ("access_key_id",) * 2, ("secret_access_key",) * 2):
        print(f"{theirs} = {json.dumps(principal[ours])}")
    ports = json.loads(options.ports.read_text())
    for host in hosts(secrets.read(options.file)):
        is_clear = host in CLEAR_HOSTS
        port = ports["clear" if is_clear else "tls"]
        print(f'[[broker.upstream]]\nhost = "{host}"\naddress = "{options.address}:{port}"')
        if not is_clear:
            print(f"ca_file = {json.dumps(str(options.ca.resolve()))}")


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
