"""Makes OAuth connections by their flows, as whoever begins them and their browser.

The client is made, the connection begun, the browser sent to the authorization server and back, and the code that it
brings is turned into a connection. By client credentials there is no browser.
"""

import http.client
import socket
import ssl
from urllib.parse import parse_qs, urlsplit

from upstream import secrets
from upstream.identities import PARTNER

CALLBACK = "/api/services/zis/connections/oauth/callback"
LOGIN = f"login.{PARTNER}"
# Where browsers end that came through the authorization server.
APP = f"https://app.{PARTNER}"
# Tokens that live less than a minute are renewed before they are used.
BRIEF_SECONDS = 30
WAIT_MAX = 30


class Browser:
    """Opens the rig's pages under their own names."""

    def __init__(self, ports, ca):
        self.port, self.context = ports["tls"], ssl.create_default_context(cafile=str(ca))

    def redirected(self, url):
        """Where a page sends the browser."""
        address = urlsplit(url)
        connection = http.client.HTTPSConnection(address.hostname, timeout=WAIT_MAX)
        plain = socket.create_connection(("127.0.0.1", self.port), WAIT_MAX)
        connection.sock = self.context.wrap_socket(plain, server_hostname=address.hostname)
        try:
            connection.request("GET", f"{address.path}?{address.query}")
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 302, f"{url}: {answer.status} {body}"
            return answer.headers["Location"]
        finally:
            connection.close()


class Flows:
    """The OAuth connections of one integration, made by whoever holds its token."""

    def __init__(self, driver, browser, zis, integration):
        self.driver, self.browser, self.zis, self.integration = driver, browser, zis, integration

    def connect(self, one, name):
        """Takes the flow to its end: the answer that has the connection, or that says why there is none."""
        self.driver.asked(secrets.create_request(one, name, self.integration), self.zis)
        begun = self.driver.asked(secrets.start_request(one, name, self.integration), self.zis)
        finish = urlsplit(begun["redirect_url"])
        root = f"/api/services/zis/connections/oauth/access_codes/{self.integration}"
        if one["create"]["grant_type"] == "authorization_code":
            code = self._agree(begun["redirect_url"])
            return self.driver.send("GET", f"{root}?verification_code={code}", self.zis)
        assert finish.path == root, f"client credentials begin with {finish.path}"
        return self.driver.send("GET", f"{finish.path}?{finish.query}", self.zis)

    def _agree(self, url):
        """What the browser does: to the authorization server, back, and to the app with the code for it."""
        back = urlsplit(self.browser.redirected(url))
        assert back.path == CALLBACK, f"the authorization server sends the browser to {back.path}"
        # A browser has none of the caller's credentials.
        answer = self.driver.send("GET", f"{back.path}?{back.query}", {})
        ends = answer.headers.get("Location", "")
        assert ends.startswith(f"{APP}/done?"), f"callback: {answer.status_code} {ends} {answer.text[:200]}"
        return parse_qs(urlsplit(ends).query)["verification_token"][0]


def problem(one, answer):
    """What is wrong with the outcome of a flow, or nothing: no token is shown, and a wrong secret gives none."""
    if not one["is_known"]:
        is_refused = answer.status_code == 400 and "invalid_client" in answer.text
        return None if is_refused else f"{answer.status_code} instead of 400: {answer.text[:200]}"
    if answer.status_code != 200:
        return f"{answer.status_code} instead of 200: {answer.text[:200]}"
    shown = answer.json()["access_token"]
    return None if shown == "*****" else "the answer shows the token"
