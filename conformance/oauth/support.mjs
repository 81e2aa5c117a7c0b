// What the tests share: where everything is, the provider with its people, and the server under test as whoever a test
// wants to be.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Network } from "./http.mjs";
import { CLIENTS, DOMAIN, ISSUER, startProvider } from "./provider.mjs";

function environment(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

const baseDomain = environment("CLAVIGER_BASE_DOMAIN");
const providerAddress = environment("CLAVIGER_PROVIDER_ADDRESS");

export const network = new Network(environment("CLAVIGER_CA"), [
  [baseDomain, environment("CLAVIGER_ADDRESS")],
  [DOMAIN, providerAddress],
]);

// Where providers send browsers back to: one host for all orgs.
export const CALLBACK = `https://zis.${baseDomain}/api/services/zis/connections/oauth/callback`;

// Starts the provider.
export function begin() {
  const [key, certificate] = [environment("CLAVIGER_PROVIDER_KEY"), environment("CLAVIGER_PROVIDER_CERTIFICATE")];
  return startProvider({ address: providerAddress, callback: CALLBACK, key, certificate });
}

// A form as the body of a request.
export const form = (fields) => ({
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields).toString(),
});

// What the provider says of a token.
export async function introspect(token, client) {
  const answer = await network.send("POST", `${ISSUER}/token/introspection`, form({ token, ...client }));
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

// Makes the provider forget a token.
export async function revokeAtProvider(token, client) {
  const answer = await network.send("POST", `${ISSUER}/token/revocation`, form({ token, ...client }));
  assert.equal(answer.status, 200, answer.text);
}

// Logs in at the provider and agrees to what is asked; the page where that ends.
export async function logIn(browser, url) {
  const login = await browser.open(url);
  const consent = await browser.submit(login, { login: "ada", password: "anything" });
  return browser.submit(consent, {});
}

const keys = {
  "dd-api-key": environment("CLAVIGER_API_KEY"),
  "dd-application-key": environment("CLAVIGER_APPLICATION_KEY"),
};

// Asks for something that tests need before they begin.
async function prepare(method, url, body, headers) {
  const answer = await network.send(method, url, { headers, body });
  assert.ok([200, 201].includes(answer.status), `${method} ${url}: ${answer.status} ${answer.text}`);
  return answer.json;
}

// An org of its own, at a host of its own, with one admin.
export async function newOrg() {
  const mark = randomUUID().slice(0, 8);
  const native = `https://any.${baseDomain}`;
  const email = `${mark}@example.com`;
  const made = await prepare("POST", `${native}/claviger/v1/orgs`, { name: mark, admin_email: email }, keys);
  const subdomain = `o${mark}`;
  await prepare("PATCH", `${native}/claviger/v1/orgs/${made.org.id}`, { subdomain }, keys);
  const own = { "dd-api-key": made.api_key.secret, "dd-application-key": made.application_key.secret };
  const attributes = {
    name: mark,
    scopes: ["org_management", "connections_read", "connections_write", "connections_resolve"],
    expires_at: new Date(Date.now() + 2 * 86_400_000).toISOString(),
  };
  const body = { data: { type: "personal_access_tokens", attributes } };
  const token = (await prepare("POST", `${native}/api/v2/personal_access_tokens`, body, own)).data.attributes.key;
  return new Org(`https://${subdomain}.${baseDomain}`, made, token);
}

class Org {
  constructor(url, made, token) {
    this.url = url;
    this.admin = made.admin.id;
    this.number = made.org.number;
    this.headers = { authorization: `Bearer ${token}` };
  }

  // Registers an integration that may send browsers on to `origins`, with a token that is bound to it.
  async integration(...origins) {
    const name = `mine_${randomUUID().slice(0, 8)}`;
    const path = `${this.url}/api/services/zis/registry/${name}`;
    const { zendesk_oauth_client } = await prepare("POST", path, {}, this.headers);
    const native = `${this.url}/claviger/v1/zis_integrations/${name}`;
    await prepare("PATCH", native, { redirect_origins: origins }, this.headers);
    const integration = new Integration(this, name, zendesk_oauth_client.id);
    await integration.mint();
    return integration;
  }
}

class Integration {
  #clientNumber;

  constructor(org, name, clientNumber) {
    this.org = org;
    this.name = name;
    this.#clientNumber = clientNumber;
  }

  async mint() {
    const body = { token: { client_id: this.#clientNumber, scopes: ["read", "write"] } };
    const made = await prepare("POST", `${this.org.url}/api/v2/oauth/tokens`, body, this.org.headers);
    this.headers = { authorization: `Bearer ${made.token.full_token}` };
  }

  // Sends a request to an OAuth path of this integration; `rest` is what follows the integration's name.
  async send(method, path, rest = "", body = undefined, headers = this.headers) {
    const url = `${this.org.url}/api/services/zis/connections${path}/${this.name}${rest}`;
    const answer = await network.send(method, url, { headers, body });
    for (const { client_secret } of CLIENTS) {
      assert.ok(!answer.text.includes(client_secret), `${method} ${url} tells a client's secret`);
    }
    return answer;
  }

  // Makes an OAuth client of this kind and returns its uuid.
  async client(known, members) {
    const body = { auth_url: `${ISSUER}/auth`, token_url: `${ISSUER}/token`, ...known, ...members };
    const made = await this.send("POST", "/oauth/clients", "", body);
    assert.equal(made.status, 201, made.text);
    return made.json.uuid;
  }

  // Begins a connection and returns where to go.
  async start(members) {
    const started = await this.send("POST", "/oauth/start", "", members);
    assert.equal(started.status, 200, started.text);
    assert.deepEqual(Object.keys(started.json), ["redirect_url"]);
    return new URL(started.json.redirect_url);
  }

  finish(code, headers) {
    const query = `?verification_code=${encodeURIComponent(code)}`;
    return this.send("GET", "/oauth/access_codes", query, undefined, headers);
  }

  show(name) {
    return this.send("GET", "", `?name=${name}`);
  }

  refresh(name) {
    return this.send("POST", "/refresh", `?name=${name}`);
  }

  // Every connection of the integration.
  async all() {
    const url = `${this.org.url}/api/services/zis/integrations/${this.name}/connections/all`;
    const answer = await network.send("GET", url, { headers: this.headers });
    assert.equal(answer.status, 200, answer.text);
    return answer;
  }
}

// Asserts one error in the services' shape.
export function refused(answer, status, code, title) {
  assert.deepEqual([answer.status, answer.headers["content-type"]], [status, "application/json"], answer.text);
  assert.deepEqual(answer.json, { errors: [{ code, title }] });
}
