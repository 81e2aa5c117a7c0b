"""The server that is asked, by curl, and what scenarios need there before they begin."""
import json
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from judge import Wrong

# What whoever is called an admin may do, the right that makes one first.
ADMIN = ["org_management", "connections_read", "connections_write", "connections_resolve"]


class Server:
    """Where the server is, and how to be somebody there."""

    def __init__(self, environment):
        self.url = environment["CLAVIGER_URL"].rstrip("/")
        self.domain = environment.get("CLAVIGER_BASE_DOMAIN")
        self.keys = (environment["CLAVIGER_API_KEY"], environment["CLAVIGER_APPLICATION_KEY"])
        self.org = environment["CLAVIGER_ORG_ID"]
        self.email = environment["CLAVIGER_EMAIL"]
        # Passwords are set by the machine's operator alone.
        self.program, self.data = environment.get("CLAVIGER_PROGRAM"), environment.get("CLAVIGER_DATA")
        # No proxy of the environment, and brackets in a URL mean themselves.
        self.options = ["--silent", "--show-error", "--globoff", "--noproxy", "*", "--max-time", "30"]
        if address := environment.get("CLAVIGER_ADDRESS"):
            self.options += ["--connect-to", f"::{address}"]
        if authority := environment.get("CLAVIGER_CA"):
            self.options += ["--cacert", authority]

    def curl(self, words):
        """The status, the headers by their names in lower case, and the body of curl's answer."""
        with tempfile.TemporaryDirectory() as folder:
            head, content = Path(folder, "head"), Path(folder, "content")
            content.touch()
            command = ["curl", *self.options, "--dump-header", head, "--output", content, *words]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise Wrong(f"curl ended with {done.returncode}: {done.stderr.strip()}")
            # What was said before the answer itself, as `100 Continue`, stands in blocks of its own.
            lines = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
            pairs = [line.split(":", 1) for line in lines[1:]]
            headers = {name.strip().lower(): value.strip() for name, value in pairs}
            return int(lines[0].split()[1]), headers, content.read_bytes().decode()

    def native(self, method, path, body, keys):
        """Asks for something that scenarios need and that is not Zendesk's."""
        headers = [f"DD-API-KEY: {keys[0]}", f"DD-APPLICATION-KEY: {keys[1]}", "Content-Type: application/json"]
        words = [word for header in headers for word in ("-H", header)]
        status, _, text = self.curl([self.url + path, "-X", method, *words, "-d", json.dumps(body)])
        if status not in (200, 201):
            raise Wrong(f"{method} {path} is answered with {status}: {text}")
        return json.loads(text)

    def place(self):
        """Where a scenario plays, as whom: the only org, or one of its own."""
        mark = uuid.uuid4().hex[:12]
        names = {"base": self.url, "host": "", "domain": self.domain, "org": self.org, "email": self.email}
        names |= {"api_key": self.keys[0], "application_key": self.keys[1]}
        if self.domain:
            names |= {"email": f"{mark}@example.com", "host": f"c{mark}.{self.domain}"}
            wanted = {"name": mark, "admin_email": names["email"]}
            made = self.native("POST", "/claviger/v1/orgs", wanted, self.keys)
            names |= {"base": f"https://{names['host']}", "org": made["org"]["id"]}
            names |= {key: made[key]["secret"] for key in ("api_key", "application_key")}
            self.native("PATCH", f"/claviger/v1/orgs/{names['org']}", {"subdomain": f"c{mark}"}, self.keys)
        scopes = {"api_token": ADMIN, "no_admins_token": ADMIN[1:]}
        keys = (names["api_key"], names["application_key"])
        for name, allowed in scopes.items():
            names[name] = self.personal_access_token(f"{name} {mark}", allowed, keys)
        names |= {"4KiB": "x" * 4096, "64KiB": "x" * 65_536}
        return names | {"integration": f"mine_{mark}", "other": f"other_{mark}"}

    def person(self, names):
        """Another admin, who has a password."""
        keys = (names["api_key"], names["application_key"])
        known = self.native("GET", "/api/v2/permissions", {}, keys)["data"]
        ids = {one["attributes"]["name"]: one["id"] for one in known}
        mark, password = uuid.uuid4().hex, uuid.uuid4().hex
        allowed = [{"id": ids[name], "type": "permissions"} for name in ADMIN]
        body = {"type": "roles", "attributes": {"name": mark}, "relationships": {"permissions": {"data": allowed}}}
        role = self.native("POST", "/api/v2/roles", {"data": body}, keys)["data"]["id"]
        email = f"{mark}@example.com"
        relationships = {"roles": {"data": [{"id": role, "type": "roles"}]}}
        body = {"data": {"type": "users", "attributes": {"email": email}, "relationships": relationships}}
        user = self.native("POST", "/api/v2/users", body, keys)["data"]["id"]
        command = [self.program, "user", "password", email, "--in", names["org"], "--data", self.data]
        done = subprocess.run(command, input=password, capture_output=True, text=True)
        if done.returncode != 0:
            raise Wrong(f"setting a password ended with {done.returncode}: {done.stderr.strip()}")
        is_over_tls = self.url.startswith("https:")
        cookie = "__Host-claviger-session" if is_over_tls else "claviger-session"
        names = {"person": user, "address": email, "password": password, "role": role, "cookie": cookie}
        return names | {"admins_permission": ids["org_management"]}

    def personal_access_token(self, name, scopes, keys):
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2 * 86_400))
        attributes = {"name": name, "scopes": scopes, "expires_at": end}
        body = {"data": {"type": "personal_access_tokens", "attributes": attributes}}
        return self.native("POST", "/api/v2/personal_access_tokens", body, keys)["data"]["attributes"]["key"]
