// Tokens are renewed before they end: once, however many ask, and not against a provider that has said no.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { BRIEF_WEB, LATE_TOKEN, MOODY_TOKEN, WEB } from "../provider.mjs";
import { begin, introspect, logIn, network, newOrg, refused, revokeAtProvider } from "../support.mjs";

const AT_ONCE = 16;

let provider, org;
before(async () => {
  provider = await begin();
  org = await newOrg();
});
after(() => provider.stop());

// An integration with a connection that somebody agreed to.
async function connected(known, members = {}) {
  const integration = await org.integration();
  await integration.client(known, { name: "web", ...members });
  await agree(integration);
  return integration;
}

async function agree(integration) {
  const start = { name: "mine", oauth_client_name: "web", permission_scopes: "orders:read" };
  const page = await logIn(new Browser(network), await integration.start(start));
  assert.equal(page.status, 200, page.text);
}

// How often the provider was asked to renew something, and how often it said no.
function renewals() {
  const ofRenewal = ({ grant_type }) => grant_type === "refresh_token";
  return [provider.seen.grants.filter(ofRenewal).length, provider.seen.refusals.filter(ofRenewal).length];
}

const live = async (integration) => {
  const shown = await integration.show("mine");
  assert.equal(shown.status, 200, shown.text);
  return shown.json;
};

test("a token that has time is not renewed, and one that ends soon is", async () => {
  const long = await connected(WEB);
  const before = renewals();
  assert.equal((await live(long)).access_token, (await live(long)).access_token);
  assert.deepEqual(renewals(), before);

  const brief = await connected(BRIEF_WEB);
  const issued = provider.seen.grants.at(-1).issued;
  const renewed = await live(brief);
  const again = provider.seen.grants.at(-1);
  assert.deepEqual([again.grant_type, again.refresh_token], ["refresh_token", issued.refresh_token]);
  const { access_token, refresh_token } = again.issued;
  assert.deepEqual([renewed.access_token, renewed.refresh_token], [access_token, refresh_token]);
  assert.notEqual(renewed.access_token, issued.access_token);
  assert.equal((await introspect(renewed.access_token, BRIEF_WEB)).active, true);
  // The refresh token that came with it is good in its turn.
  const next = await live(brief);
  assert.notEqual(next.refresh_token, renewed.refresh_token);
  assert.equal((await introspect(next.access_token, BRIEF_WEB)).active, true);
  assert.equal(renewals()[1], 0);
});

test("it is renewed when somebody says so", async () => {
  const integration = await connected(WEB);
  const before = await live(integration);
  const answer = await integration.refresh("mine");
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([answer.json.name, answer.json.access_token, answer.json.refresh_token], ["mine", "*****", "*****"]);
  const renewed = await live(integration);
  assert.notEqual(renewed.access_token, before.access_token);
  assert.equal((await introspect(renewed.access_token, WEB)).active, true);
});

test("of many who ask at once, one renews for all", async () => {
  const integration = await connected(BRIEF_WEB, { token_url: LATE_TOKEN });
  const [before] = renewals();
  const tokens = await Promise.all(Array.from({ length: AT_ONCE }, async () => (await live(integration)).access_token));
  assert.deepEqual(renewals(), [before + 1, 0]);
  assert.equal(new Set(tokens).size, 1);
  // The provider ends all of it when a refresh token comes twice: it did not.
  assert.equal((await introspect((await live(integration)).access_token, BRIEF_WEB)).active, true);
});

test("a revoked refresh token is asked with once, and somebody has to agree anew", async () => {
  const integration = await connected(BRIEF_WEB);
  const { refresh_token } = provider.seen.grants.at(-1).issued;
  await revokeAtProvider(refresh_token, BRIEF_WEB);
  const [granted, refusedBefore] = renewals();
  const no = "the authorization server refuses to renew the token: invalid_grant";
  refused(await integration.refresh("mine"), 400, "BadRequest", no);
  assert.deepEqual(renewals(), [granted, refusedBefore + 1]);
  // Whoever is shown it gets what there is; the provider is left alone.
  for (let count = 0; count < 3; count += 1) await live(integration);
  assert.deepEqual(renewals(), [granted, refusedBefore + 1]);
  await agree(integration);
  const renewed = await live(integration);
  assert.equal((await introspect(renewed.access_token, BRIEF_WEB)).active, true);
  assert.equal(renewals()[0], granted + 1);
});

test("a provider that goes wrong for a while costs nothing", async () => {
  const integration = await connected(WEB, { token_url: MOODY_TOKEN });
  const before = await live(integration);
  const codes = { html: "provider_garbage", failing: "provider_failed", "broken-off": "provider_broke_off" };
  for (const [fault, code] of Object.entries(codes)) {
    provider.moody.fault = fault;
    const title = `the authorization server gave no token: ${code}`;
    refused(await integration.refresh("mine"), 502, "BadGateway", title);
    assert.deepEqual(await live(integration), before);
  }
  provider.moody.fault = null;
  assert.equal((await integration.refresh("mine")).status, 200);
  const renewed = await live(integration);
  assert.notEqual(renewed.access_token, before.access_token);
  assert.equal((await introspect(renewed.access_token, WEB)).active, true);
});
