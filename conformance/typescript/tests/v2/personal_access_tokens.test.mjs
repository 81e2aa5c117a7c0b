// `/api/v2/personal_access_tokens` by the client, and calls with such a token.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NO_PERMISSION,
  UUID,
  cleanUp,
  idsOf,
  keys,
  keysOf,
  refused,
  resource,
  send,
  understood,
  unique,
  unknownId,
  userId,
} from "../../support.mjs";

const PATH = "/api/v2/personal_access_tokens";
const KIND = "personal_access_tokens";
const NOT_FOUND = "Personal access token not found";
const inDays = (days) => new Date(Date.now() + days * 24 * 60 * 60 * 1000);
const given = (attributes) => ({ name: unique("token"), scopes: ["dashboards_read"], expiresAt: inDays(30), ...attributes });
const update = (id, attributes) => ({ tokenId: id, body: resource(KIND, attributes, { id }) });

async function make(t, attributes = {}) {
  const { data } = understood(await keys.createPersonalAccessToken({ body: resource(KIND, given(attributes)) }));
  cleanUp(t, `${PATH}/${data.id}`);
  return data;
}

test("create", async (t) => {
  const { id, type, attributes, relationships } = await make(t, { scopes: ["monitors_read", "dashboards_read"] });
  assert.match(id, UUID);
  assert.equal(type, KIND);
  assert.deepEqual(attributes.scopes, ["monitors_read", "dashboards_read"]);
  assert.match(attributes.key, /^ddpat_[0-9A-Za-z]{22}_[0-9A-Za-z]{36}$/);
  assert.equal(attributes.publicPortion, attributes.key.split("_")[1]);
  assert.equal(relationships.ownedBy.data.id, userId);
});

test("create for a year, and no longer, and no shorter than a day", async (t) => {
  await make(t, { expiresAt: inDays(365) });
  for (const expiresAt of [inDays(366), inDays(0.9), inDays(-1)]) {
    await assert.rejects(keys.createPersonalAccessToken({ body: resource(KIND, given({ expiresAt })) }), { code: 400 });
  }
});

test("create with wrong bodies", async () => {
  const unknown = resource(KIND, given({ scopes: ["no_such_scope"] }));
  await refused(keys.createPersonalAccessToken({ body: unknown }), 400, "Invalid scopes: no_such_scope");
  const whole = { name: "x", scopes: ["dashboards_read"], expires_at: inDays(30).toISOString() };
  for (const wrong of [{ name: "" }, { name: null }, { scopes: [] }, { scopes: null }, { expires_at: null }]) {
    const answer = await send("POST", PATH, { body: resource(KIND, { ...whole, ...wrong }) });
    assert.equal(answer.status, 400, JSON.stringify(wrong));
  }
});

test("get", async (t) => {
  const created = await make(t);
  const { data } = understood(await keys.getPersonalAccessToken({ tokenId: created.id }));
  assert.deepEqual([data.id, data.type, data.attributes.name], [created.id, KIND, created.attributes.name]);
  assert.equal(data.attributes.lastUsedAt, null);
  assert.ok(!("key" in data.attributes) && !("key" in (data.attributes.additionalProperties ?? {})));
  assert.equal((await send("GET", `${PATH}/${created.id}`)).contentType, "application/vnd.api+json");
  for (const id of ["invalidId", unknownId()]) {
    await refused(keys.getPersonalAccessToken({ tokenId: id }), 404, NOT_FOUND);
    await refused(keys.updatePersonalAccessToken(update(id, { name: "x" })), 404, NOT_FOUND);
  }
});

test("list", async (t) => {
  const prefix = unique("");
  const { id: b } = await make(t, { name: `${prefix}b`, expiresAt: inDays(20) });
  const { id: c } = await make(t, { name: `${prefix}C`, expiresAt: inDays(10) });
  const { id: a } = await make(t, { name: `${prefix}a`, expiresAt: inDays(40) });
  const list = (parameters) => keys.listPersonalAccessTokens({ filter: prefix, ...parameters });
  const listed = understood(await list());
  assert.deepEqual([idsOf(listed), listed.meta.page.totalFilteredCount], [[a, b, c], 3]);
  assert.ok(listed.data.every((token) => token.type === KIND));
  assert.deepEqual(idsOf(await list({ pageSize: 2, pageNumber: 1 })), [c]);
  assert.deepEqual(idsOf(await list({ sort: "expires_at" })), [c, b, a]);
  assert.deepEqual(idsOf(await list({ sort: "-created_at" })), [a, c, b]);
  assert.deepEqual(idsOf(await list({ filterOwnedBy: [unknownId(), userId] })), [a, b, c]);
  assert.deepEqual(idsOf(await list({ filterOwnedBy: [unknownId()] })), []);
});

test("update", async (t) => {
  const { id } = await make(t);
  const name = unique("renamed");
  const { data } = understood(await keys.updatePersonalAccessToken(update(id, { name })));
  assert.deepEqual([data.attributes.name, data.attributes.scopes], [name, ["dashboards_read"]]);
  assert.ok(data.attributes.modifiedAt instanceof Date);
  const other = { ...update(unknownId(), { name: "x" }), tokenId: id };
  await assert.rejects(keys.updatePersonalAccessToken(other), { code: 400 });
});

test("revoke, however often", async (t) => {
  const { id, attributes } = await make(t);
  const bearer = keysOf({ token: attributes.key });
  assert.equal((await bearer.validateAPIKey()).status, "ok");
  await keys.revokePersonalAccessToken({ tokenId: id });
  await keys.revokePersonalAccessToken({ tokenId: id });
  await refused(keys.getPersonalAccessToken({ tokenId: id }), 404, NOT_FOUND);
  await refused(bearer.validateAPIKey(), 401, "Unauthorized");
});

test("call with a token", async (t) => {
  const { attributes } = await make(t, { scopes: ["api_keys_read"] });
  for (const credentials of [{ token: attributes.key }, { applicationKey: attributes.key }]) {
    understood(await keysOf(credentials).listAPIKeys());
    await refused(keysOf(credentials).listApplicationKeys(), 403, ...NO_PERMISSION);
  }
  const answer = await send("GET", "/api/v2/validate_keys", { token: "nonsense" });
  assert.deepEqual([answer.status, answer.json], [401, { errors: ["Unauthorized"] }]);
});
