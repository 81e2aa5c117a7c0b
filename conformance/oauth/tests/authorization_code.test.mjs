// A person agrees in a browser, and the connection that comes of it is good at the provider.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { APP, AUTHORIZE, CLIENTS, TOKEN, WEB } from "../provider.mjs";
import { begin, CALLBACK, introspect, logIn, network, newOrg, refused } from "../support.mjs";

const SPENT = "verification_code is not known, was used already, or is over";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let provider, org;
before(async () => {
  provider = await begin();
  org = await newOrg();
});
after(() => provider.stop());

// Begins a connection, and lets somebody agree; what the app's page is told.
async function agree(integration, members, browser = new Browser(network)) {
  const way = await integration.start({ name: "mine", oauth_client_name: "web", ...members });
  return { way, page: await logIn(browser, way) };
}

test("a connection is agreed to, finished, shown and used", async () => {
  const integration = await org.integration(APP);
  const uuid = await integration.client(WEB, { name: "web", default_scopes: "orders:read" });
  const told = { permission_scopes: "orders:read orders:write", origin_oauth_redirect_url: `${APP}/done?for=mine` };
  const { way, page } = await agree(integration, told);

  // The browser is sent with all that the provider asks for, and nothing that it could be robbed of.
  const { code_challenge: challenge, state, ...sent } = Object.fromEntries(way.searchParams);
  assert.equal(way.origin + way.pathname, AUTHORIZE);
  assert.deepEqual(sent, {
    client_id: "web",
    code_challenge_method: "S256",
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "orders:read orders:write",
  });
  assert.match(challenge, /^[A-Za-z0-9_-]{43}$/);
  assert.match(state, /^[A-Za-z0-9_-]{22,}$/);

  // It comes back to the app with what finishes the connection, and with nothing of the provider's.
  assert.deepEqual([page.status, page.url.origin + page.url.pathname], [200, `${APP}/done`]);
  const { verification_token: verification, ...rest } = Object.fromEntries(page.url.searchParams);
  assert.deepEqual(rest, { for: "mine" });
  const asked = provider.seen.grants.at(-1);
  assert.deepEqual([asked.grant_type, asked.redirect_uri], ["authorization_code", CALLBACK]);
  assert.match(asked.code_verifier, /^[A-Za-z0-9._~-]{43,128}$/);

  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
  const finished = await integration.finish(verification);
  assert.equal(finished.status, 200, finished.text);
  const { created_at, token_expiry, updated_at, uuid: connection, ...shown } = finished.json;
  assert.match(created_at, TIME);
  assert.equal(updated_at, created_at);
  assert.match(token_expiry, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(Math.abs(Date.parse(token_expiry) - Date.now() - 3_600_000) < 60_000, token_expiry);
  assert.match(connection, UUID);
  assert.deepEqual(shown, {
    access_token: "*****",
    allowed_domain: new URL(TOKEN).hostname,
    created_by: org.admin,
    integration: integration.name,
    name: "mine",
    oauth_access_token_response_body: "*****",
    oauth_client_uuid: uuid,
    oauth_url_subdomain: "",
    permission_scope: "orders:read orders:write",
    refresh_token: "*****",
    token_type: "Bearer",
    zendesk_account_id: org.number,
  });

  // Shown alone it has its tokens, as the operator wants it here, and they are those of the provider.
  for (const rest of ["?name=mine", `?uuid=${connection}`]) {
    const live = await integration.send("GET", "", rest);
    assert.equal(live.status, 200, live.text);
    const { access_token, oauth_access_token_response_body, refresh_token } = live.json;
    assert.deepEqual([access_token, refresh_token], [asked.issued.access_token, asked.issued.refresh_token]);
    assert.deepEqual(JSON.parse(oauth_access_token_response_body), asked.issued);
    const { active, client_id, scope } = await introspect(access_token, WEB);
    assert.deepEqual([active, client_id, scope], [true, "web", "orders:read orders:write"]);
  }
  // In the list it never has.
  const all = await integration.all();
  assert.deepEqual(all.json.oauth.map(({ name, access_token }) => [name, access_token]), [["mine", "*****"]]);
  assert.ok(!all.text.includes(asked.issued.access_token) && !all.text.includes(asked.issued.refresh_token));

  refused(await integration.finish(verification), 400, "BadRequest", SPENT);
  const gone = await integration.send("DELETE", "", "?name=mine");
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
});

test("without an app to go on to, the browser is told, and the connection is there", async () => {
  const integration = await org.integration();
  await integration.client(WEB, { name: "web" });
  const { page } = await agree(integration, { permission_scopes: "orders:read" });
  assert.deepEqual([page.status, page.headers["content-type"]], [200, "text/html; charset=utf-8"]);
  assert.match(page.text, /The connection mine is ready\./);
  assert.equal((await integration.show("mine")).status, 200);
});

test("a state is good once", async () => {
  const integration = await org.integration(APP);
  await integration.client(WEB, { name: "web" });
  const browser = new Browser(network, CALLBACK);
  const told = { permission_scopes: "orders:read", origin_oauth_redirect_url: APP };
  const { page } = await agree(integration, told, browser);
  const first = await network.send("GET", page.url);
  assert.equal(first.status, 302);
  const before = provider.seen.grants.length + provider.seen.refusals.length;
  const again = await network.send("GET", page.url);
  refused(again, 400, "BadRequest", "state is not known, was used already, or is over");
  assert.equal(provider.seen.grants.length + provider.seen.refusals.length, before, "the provider was not asked");
  // What the first brought is good all the same.
  const { status } = await integration.finish(first.redirect.searchParams.get("verification_token"));
  assert.equal(status, 200);
});

test("a state that is none leads nowhere, with a good code too", async () => {
  const integration = await org.integration(APP);
  await integration.client(WEB, { name: "web" });
  const { page } = await agree(integration, { permission_scopes: "orders:read" }, new Browser(network, CALLBACK));
  const before = provider.seen.grants.length + provider.seen.refusals.length;
  const state = page.url.searchParams.get("state");
  const last = state.endsWith("A") ? "B" : "A";
  for (const other of [`${state.slice(0, -1)}${last}`, "", "x", state.toUpperCase(), null]) {
    const url = new URL(page.url);
    if (other === null) url.searchParams.delete("state");
    else url.searchParams.set("state", other);
    const answer = await network.send("GET", url);
    refused(answer, 400, "BadRequest", "state is not known, was used already, or is over");
  }
  const doubled = await network.send("GET", `${page.url}&state=${state}`);
  refused(doubled, 400, "BadRequest", "state is not known, was used already, or is over");
  assert.equal(provider.seen.grants.length + provider.seen.refusals.length, before, "the provider was not asked");
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
  // The right one still leads on: nobody else has used it up.
  assert.equal((await network.send("GET", page.url)).status, 200);
  assert.equal((await integration.show("mine")).status, 200);
});

test("a code that was not issued to this way is refused by the provider", async () => {
  const integration = await org.integration(APP);
  await integration.client(WEB, { name: "web" });
  const back = async (name) => {
    const told = { name, permission_scopes: "orders:read", origin_oauth_redirect_url: `${APP}/${name}` };
    return (await agree(integration, told, new Browser(network, CALLBACK))).page.url;
  };
  const [mine, theirs] = [await back("mine"), await back("theirs")];
  // Somebody else's code in one's own way: the verifier does not fit it.
  mine.searchParams.set("code", theirs.searchParams.get("code"));
  const landed = await network.send("GET", mine);
  assert.equal(landed.redirect.href, `${APP}/mine?error=invalid_grant`);
  assert.equal(provider.seen.refusals.at(-1).error, "invalid_grant");
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
});

test("whoever does not agree is sent on with that", async () => {
  const integration = await org.integration(APP);
  await integration.client(WEB, { name: "web" });
  const told = { permission_scopes: "orders:read", origin_oauth_redirect_url: `${APP}/done` };
  const browser = new Browser(network);
  const login = await browser.open(await integration.start({ name: "mine", oauth_client_name: "web", ...told }));
  const [, abort] = login.text.match(/href="([^"]*\/abort)"/);
  const page = await browser.open(new URL(abort, login.url));
  assert.equal(page.url.href, `${APP}/done?error=access_denied`);
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
});

test("only whoever began it finishes it, in the integration where it began", async () => {
  const [integration, other] = [await org.integration(APP), await org.integration(APP)];
  await integration.client(WEB, { name: "web" });
  const { page } = await agree(integration, { permission_scopes: "orders:read", origin_oauth_redirect_url: APP });
  const verification = page.url.searchParams.get("verification_token");
  refused(await other.finish(verification), 400, "BadRequest", SPENT);
  const mismatch = "Authorization failed due to integration mismatch";
  refused(await integration.finish(verification, other.headers), 401, "InvalidCredentials", mismatch);
  const stranger = await (await newOrg()).integration(APP);
  refused(await stranger.finish(verification), 400, "BadRequest", SPENT);
  assert.equal((await integration.finish(verification)).status, 200);
});

test("browsers are sent to origins that the integration allows, and to no others", async () => {
  const integration = await org.integration(APP);
  await integration.client(WEB, { name: "web" });
  const evil = [`${APP}.evil.example`, APP.replace("https:", "http:"), `${APP}:8443`, "https://evil.example/?x=" + APP];
  for (const origin_oauth_redirect_url of evil) {
    const body = { name: "mine", oauth_client_name: "web", origin_oauth_redirect_url };
    const answer = await integration.send("POST", "/oauth/start", "", body);
    refused(answer, 400, "BadRequest", "origin_oauth_redirect_url has an origin that the integration does not allow");
  }
});

test("a client that is aimed elsewhere takes its secret anew, and its connections lose their tokens", async () => {
  const integration = await org.integration();
  const uuid = await integration.client(WEB, { name: "web" });
  await agree(integration, { permission_scopes: "orders:read" });
  const { json: before } = await integration.show("mine");
  const elsewhere = { token_url: "https://elsewhere.provider.example/token" };
  const missing = "client_secret is missing: with another token_url it is to be brought anew";
  refused(await integration.send("PATCH", "/oauth/clients", `/${uuid}`, elsewhere), 400, "BadRequest", missing);
  assert.deepEqual((await integration.show("mine")).json, before);
  const anew = { ...elsewhere, client_secret: WEB.client_secret };
  const changed = await integration.send("PATCH", "/oauth/clients", `/${uuid}`, anew);
  assert.deepEqual([changed.status, changed.text], [204, ""]);
  const { json: emptied } = await integration.show("mine");
  assert.deepEqual([emptied.access_token, emptied.refresh_token, emptied.token_expiry], ["", "", null]);
  const lost = "the connection lost its tokens when its OAuth client was changed: begin it anew";
  refused(await integration.refresh("mine"), 400, "BadRequest", lost);
  assert.equal(provider.seen.elsewhere, 0, "nothing went there");

  const deleted = await integration.send("DELETE", "/oauth/clients", `/${uuid}`);
  assert.deepEqual([deleted.status, deleted.text], [204, ""]);
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
});

test("no answer tells a client's secret", async () => {
  const integration = await org.integration();
  const uuid = await integration.client(WEB, { name: "web", default_scopes: "orders:read" });
  const shown = await integration.send("GET", "/oauth/clients", `/${uuid}`);
  const { created_at, updated_at, ...rest } = shown.json;
  assert.match(created_at, TIME);
  assert.equal(updated_at, created_at);
  assert.deepEqual(rest, {
    allowed_domain: null,
    auth_url: AUTHORIZE,
    client_id: "web",
    client_secret: "*****",
    created_by: org.admin,
    default_scopes: "orders:read",
    grant_type: "authorization_code",
    integration: integration.name,
    name: "web",
    token_url: TOKEN,
    uuid,
  });
  const listed = await integration.send("GET", "/oauth/clients");
  assert.deepEqual(listed.json, { clients: [shown.json] });
  assert.ok(CLIENTS.every(({ client_secret }) => !listed.text.includes(client_secret)));
});
