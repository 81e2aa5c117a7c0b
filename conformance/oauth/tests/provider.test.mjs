// What the other tests take for granted of the provider, shown without the server under test.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { AUTHORIZE, MACHINE, TOKEN, WEB } from "../provider.mjs";
import { begin, CALLBACK, form, introspect, logIn, network, revokeAtProvider } from "../support.mjs";
import { Browser } from "../browser.mjs";

let provider;
before(async () => (provider = await begin()));
after(() => provider.stop());

const verifier = randomBytes(32).toString("base64url");
const challenge = createHash("sha256").update(verifier).digest("base64url");

function authorize(more) {
  const url = new URL(AUTHORIZE);
  const query = { client_id: WEB.client_id, response_type: "code", redirect_uri: CALLBACK, state: "s", ...more };
  url.search = new URLSearchParams(query).toString();
  return url;
}

const ask = (fields) => network.send("POST", TOKEN, form(fields));

test("a code is issued for a challenge alone, and exchanged for the verifier alone", async () => {
  const refused = await new Browser(network, CALLBACK).open(authorize({ scope: "orders:read" }));
  assert.equal(refused.url.searchParams.get("error"), "invalid_request");

  const way = authorize({ scope: "orders:read", code_challenge: challenge, code_challenge_method: "S256" });
  const { url } = await logIn(new Browser(network, CALLBACK), way);
  const code = url.searchParams.get("code");
  const exchange = { grant_type: "authorization_code", code, redirect_uri: CALLBACK, ...WEB };
  const wrong = await ask({ ...exchange, code_verifier: randomBytes(32).toString("base64url") });
  assert.deepEqual([wrong.status, wrong.json.error], [400, "invalid_grant"]);
});

test("a refresh token is good once, and used twice it ends all that came of it", async () => {
  const way = authorize({ scope: "orders:read", code_challenge: challenge, code_challenge_method: "S256" });
  const { url } = await logIn(new Browser(network, CALLBACK), way);
  const code = url.searchParams.get("code");
  const exchange = { grant_type: "authorization_code", code, redirect_uri: CALLBACK, code_verifier: verifier };
  const first = await ask({ ...exchange, ...WEB });
  assert.equal(first.status, 200, first.text);
  const second = await ask({ grant_type: "refresh_token", refresh_token: first.json.refresh_token, ...WEB });
  assert.equal(second.status, 200, second.text);
  for (const { json } of [first, second]) {
    const again = await ask({ grant_type: "refresh_token", refresh_token: json.refresh_token, ...WEB });
    assert.deepEqual([again.status, again.json.error], [400, "invalid_grant"]);
  }
});

test("a token is active until it is revoked", async () => {
  const { json } = await ask({ grant_type: "client_credentials", scope: "orders:read", ...MACHINE });
  assert.equal((await introspect(json.access_token, MACHINE)).active, true);
  await revokeAtProvider(json.access_token, MACHINE);
  assert.equal((await introspect(json.access_token, MACHINE)).active, false);
});
