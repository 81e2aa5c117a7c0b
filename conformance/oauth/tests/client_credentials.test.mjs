// A client that acts for itself, against a provider that answers well, late, wrongly, or not at all.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BRIEF_MACHINE, LATE_TOKEN, MACHINE, tokenWith } from "../provider.mjs";
import { begin, introspect, newOrg, refused } from "../support.mjs";

// A server gives up on a token endpoint after 10 s.
const PATIENCE_MS = 10_000;

let provider, org;
before(async () => {
  provider = await begin();
  org = await newOrg();
});
after(() => provider.stop());

// An integration with such a client, and a connection that is begun; the code by which it is finished.
async function begun(known, members = {}) {
  const integration = await org.integration();
  await integration.client(known, { name: "machine", grant_type: "client_credentials", auth_url: null, ...members });
  const way = await integration.start({ name: "mine", oauth_client_name: "machine", permission_scopes: "orders:read" });
  const path = `/api/services/zis/connections/oauth/access_codes/${integration.name}`;
  assert.equal(way.origin + way.pathname, integration.org.url + path);
  assert.deepEqual([...way.searchParams.keys()], ["verification_code"]);
  return { integration, code: way.searchParams.get("verification_code") };
}

test("a connection is there once it is finished, and its token is the provider's", async () => {
  const { integration, code } = await begun(MACHINE);
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
  const before = provider.seen.grants.length;
  const finished = await integration.finish(code);
  assert.equal(finished.status, 200, finished.text);
  assert.equal(provider.seen.grants.length, before + 1);
  const { access_token, permission_scope, refresh_token, token_type } = finished.json;
  assert.deepEqual([access_token, permission_scope, refresh_token, token_type], ["*****", "orders:read", "", "Bearer"]);
  const { json: live } = await integration.show("mine");
  const { active, client_id, scope } = await introspect(live.access_token, MACHINE);
  assert.deepEqual([active, client_id, scope], [true, "machine", "orders:read"]);
  const spent = "verification_code is not known, was used already, or is over";
  refused(await integration.finish(code), 400, "BadRequest", spent);
});

test("a token that ends soon is asked for anew, without anybody's agreement", async () => {
  const { integration, code } = await begun(BRIEF_MACHINE);
  await integration.finish(code);
  const { issued } = provider.seen.grants.at(-1);
  const { json: live } = await integration.show("mine");
  assert.notEqual(live.access_token, issued.access_token);
  assert.equal(provider.seen.grants.at(-1).grant_type, "client_credentials");
  assert.equal((await introspect(live.access_token, BRIEF_MACHINE)).active, true);
});

test("a provider that answers late is waited for", async () => {
  const { integration, code } = await begun(MACHINE, { token_url: LATE_TOKEN });
  assert.equal((await integration.finish(code)).status, 200);
  const { json: live } = await integration.show("mine");
  assert.equal((await introspect(live.access_token, MACHINE)).active, true);
});

test("a client that the provider does not know is refused for good", async () => {
  const { integration, code } = await begun({ ...MACHINE, client_secret: "wrong" });
  refused(await integration.finish(code), 400, "BadRequest", "the authorization server gave no token: invalid_client");
  refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
});

describe("what is no token makes no connection, and takes no longer than it may", { concurrency: true }, () => {
  const outcomes = {
    "asking-for-patience": [502, "BadGateway", "provider_limited"],
    "broken-off": [502, "BadGateway", "provider_broke_off"],
    endless: [502, "BadGateway", "provider_too_large"],
    failing: [502, "BadGateway", "provider_failed"],
    html: [502, "BadGateway", "provider_garbage"],
    moved: [502, "BadGateway", "provider_garbage"],
    "no-object": [502, "BadGateway", "provider_garbage"],
    "no-token": [502, "BadGateway", "provider_garbage"],
    refusing: [400, "BadRequest", "invalid_client"],
    silent: [502, "BadGateway", "provider_timeout"],
    "token-of-lines": [502, "BadGateway", "provider_garbage"],
    trickling: [502, "BadGateway", "provider_timeout"],
  };
  for (const [fault, [status, code, reason]] of Object.entries(outcomes)) {
    test(fault, async () => {
      const { integration, code: verification } = await begun(MACHINE, { token_url: tokenWith(fault) });
      const start = Date.now();
      const answer = await integration.finish(verification);
      const took = Date.now() - start;
      refused(answer, status, code, `the authorization server gave no token: ${reason}`);
      assert.equal(provider.seen.faults.get(fault), 1, "it was asked once");
      assert.ok(took < PATIENCE_MS + 5_000, `it took ${took} ms`);
      refused(await integration.show("mine"), 404, "NotFound", "Connection does not exist");
    });
  }
  after(() => assert.equal(provider.seen.elsewhere, 0, "a redirect was followed with the secret"));
});
