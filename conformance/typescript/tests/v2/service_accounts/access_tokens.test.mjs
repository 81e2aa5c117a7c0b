// `/api/v2/service_accounts/{id}/access_tokens` by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  idsOf,
  keys,
  keysOf,
  makeServiceAccount,
  refused,
  resource,
  send,
  serviceAccounts,
  understood,
  unique,
  unknownId,
} from "../../../support.mjs";

const KIND = "service_access_tokens";
const given = (attributes) => ({ name: unique("token"), scopes: ["dashboards_read"], ...attributes });

async function make(serviceAccountId, attributes = {}) {
  const body = resource(KIND, given(attributes));
  return understood(await serviceAccounts.createServiceAccountAccessToken({ serviceAccountId, body })).data;
}

test("create, without an end and with one", async (t) => {
  const { id } = await makeServiceAccount(t);
  const { type, attributes, relationships } = await make(id);
  assert.equal(type, KIND);
  assert.match(attributes.key, /^ddsat_[0-9A-Za-z]{22}_[0-9A-Za-z]{36}$/);
  assert.equal(attributes.publicPortion, attributes.key.slice(0, "ddsat_".length + 22));
  assert.equal(attributes.expiresAt ?? null, null);
  assert.equal(relationships.ownedBy.data.id, id);
  // The client sends whole seconds.
  const expiresAt = new Date(Math.floor(Date.now() / 1000) * 1000 + 30 * 24 * 60 * 60 * 1000);
  assert.equal(Number((await make(id, { expiresAt })).attributes.expiresAt), Number(expiresAt));
});

test("create with wrong bodies", async (t) => {
  const { id: serviceAccountId } = await makeServiceAccount(t);
  const unknown = resource(KIND, given({ scopes: ["no_such_scope"] }));
  const create = serviceAccounts.createServiceAccountAccessToken({ serviceAccountId, body: unknown });
  await refused(create, 400, "Invalid scopes: no_such_scope");
  for (const wrong of [{ name: "" }, { scopes: [] }, { expires_at: new Date().toISOString() }]) {
    const path = `/api/v2/service_accounts/${serviceAccountId}/access_tokens`;
    assert.equal((await send("POST", path, { body: resource(KIND, given(wrong)) })).status, 400);
  }
});

test("get, list and update", async (t) => {
  const { id: serviceAccountId } = await makeServiceAccount(t);
  const empty = understood(await serviceAccounts.listServiceAccountAccessTokens({ serviceAccountId }));
  assert.deepEqual([empty.data, empty.meta.page.totalFilteredCount], [[], 0]);
  const { id: tokenId, attributes } = await make(serviceAccountId);
  const one = { serviceAccountId, tokenId };
  const found = understood(await serviceAccounts.getServiceAccountAccessToken(one)).data;
  assert.deepEqual([found.id, found.type, found.attributes.name], [tokenId, KIND, attributes.name]);
  assert.deepEqual([found.attributes.lastUsedAt, found.attributes.expiresAt], [null, null]);
  assert.deepEqual(idsOf(await serviceAccounts.listServiceAccountAccessTokens({ serviceAccountId })), [tokenId]);
  const body = resource(KIND, { name: "renamed" }, { id: tokenId });
  const updated = understood(await serviceAccounts.updateServiceAccountAccessToken({ ...one, body })).data;
  assert.deepEqual([updated.attributes.name, updated.attributes.scopes], ["renamed", ["dashboards_read"]]);
  const [listed] = understood(await keys.listPersonalAccessTokens({ filterOwnedBy: [serviceAccountId] })).data;
  assert.deepEqual([listed.id, listed.type], [tokenId, "personal_access_tokens"]);
});

test("revoke, however often", async (t) => {
  const { id: serviceAccountId } = await makeServiceAccount(t);
  const { id: tokenId, attributes } = await make(serviceAccountId);
  const bearer = keysOf({ token: attributes.key });
  assert.equal((await bearer.validateAPIKey()).status, "ok");
  await serviceAccounts.revokeServiceAccountAccessToken({ serviceAccountId, tokenId });
  await serviceAccounts.revokeServiceAccountAccessToken({ serviceAccountId, tokenId });
  await refused(bearer.validateAPIKey(), 401, "Unauthorized");
  await assert.rejects(serviceAccounts.getServiceAccountAccessToken({ serviceAccountId, tokenId }), { code: 404 });
});

test("of no service account", () =>
  assert.rejects(serviceAccounts.listServiceAccountAccessTokens({ serviceAccountId: unknownId() }), { code: 404 }));
