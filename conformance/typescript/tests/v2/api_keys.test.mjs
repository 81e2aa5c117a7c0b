// `/api/v2/api_keys` by the client: create, read, list, rename, revoke; where the secret shows; what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  API_KEY_SECRET,
  TIME_V2,
  UUID,
  email,
  hasFailedWith,
  idsOf,
  inTurn,
  keys,
  makeApiKey,
  refused,
  send,
  understood,
  unique,
  unknownId,
  userId,
  v2,
} from "../../support.mjs";

const PATH = "/api/v2/api_keys";
const NOT_FOUND = "API key not found";
const patch = (id, attributes) => ({ apiKeyId: id, body: { data: { type: "api_keys", id, attributes } } });

// Three keys, oldest first, whose names share `prefix`; the oldest was changed last.
async function three(t) {
  const prefix = unique("");
  const made = await inTurn(["b", "C", "a"], (suffix) => makeApiKey(t, { name: prefix + suffix }));
  made[0] = (await keys.updateAPIKey(patch(made[0].id, { name: `${prefix}bb` }))).data;
  return { prefix, made };
}

test("create", async (t) => {
  const name = unique();
  const { id, type, attributes, relationships } = await makeApiKey(t, { name });
  assert.match(id, UUID);
  assert.match(attributes.key, API_KEY_SECRET);
  assert.deepEqual([type, attributes.name, attributes.last4], ["api_keys", name, attributes.key.slice(-4)]);
  assert.deepEqual([attributes.remoteConfigReadEnabled, attributes.category], [true, "default"]);
  assert.deepEqual(attributes.modifiedAt, attributes.createdAt);
  assert.equal(relationships.createdBy.data.id, userId);
  assert.equal(relationships.modifiedBy.data.id, userId);
});

test("create without remote configuration", async (t) => {
  const { id } = await makeApiKey(t, { remoteConfigReadEnabled: false });
  assert.equal((await keys.getAPIKey({ apiKeyId: id })).data.attributes.remoteConfigReadEnabled, false);
});

test("create with wrong bodies", async () => {
  const create = (data) => send("POST", PATH, { body: { data } });
  const type = "api_keys";
  hasFailedWith(await create({ type, attributes: {} }), 400, "'name' is a required property");
  hasFailedWith(await create({ type, attributes: { name: null } }), 400, "None is not of type 'string'");
  hasFailedWith(
    await create({ type, attributes: { name: "x", owner: "me" } }),
    400,
    "Additional properties are not allowed ('owner' was unexpected)",
  );
  hasFailedWith(await create({ type, attributes: { name: "" } }), 400);
  hasFailedWith(await create({ type: "users", attributes: { name: "x" } }), 400);
});

test("get", async (t) => {
  const created = await makeApiKey(t);
  const { data } = understood(await keys.getAPIKey({ apiKeyId: created.id }));
  assert.deepEqual([data.id, data.attributes.key], [created.id, created.attributes.key]);
  assert.equal(data.attributes.dateLastUsed, null);
  const { attributes } = (await send("GET", `${PATH}/${created.id}`)).json.data;
  assert.match(attributes.created_at, TIME_V2);
  assert.match(attributes.modified_at, TIME_V2);
});

test("get with users", async (t) => {
  const { id } = await makeApiKey(t);
  const { included } = understood(await keys.getAPIKey({ apiKeyId: id, include: "created_by,modified_by" }));
  assert.equal(included.length, 1);
  assert.ok(included[0] instanceof v2.User);
  assert.deepEqual([included[0].id, included[0].attributes.email], [userId, email]);
});

test("rename", async (t) => {
  const created = await makeApiKey(t, { remoteConfigReadEnabled: false });
  const name = unique("renamed");
  const { attributes } = understood(await keys.updateAPIKey(patch(created.id, { name }))).data;
  assert.deepEqual([attributes.name, attributes.key], [name, created.attributes.key]);
  assert.equal(attributes.remoteConfigReadEnabled, false);
  assert.equal((await keys.getAPIKey({ apiKeyId: created.id })).data.attributes.name, name);
});

test("same name changes nothing", async (t) => {
  const { id, attributes } = await makeApiKey(t);
  const before = (await send("GET", `${PATH}/${id}`)).json.data.attributes.modified_at;
  await keys.updateAPIKey(patch(id, { name: attributes.name }));
  assert.equal((await send("GET", `${PATH}/${id}`)).json.data.attributes.modified_at, before);
});

test("patch with another id", async (t) => {
  const { id } = await makeApiKey(t);
  await assert.rejects(keys.updateAPIKey({ ...patch(unknownId(), { name: "x" }), apiKeyId: id }), { code: 400 });
});

test("delete revokes", async (t) => {
  const { id, attributes } = await makeApiKey(t);
  await keys.deleteAPIKey({ apiKeyId: id });
  const { data } = understood(await keys.getAPIKey({ apiKeyId: id }));
  assert.equal(data.attributes.additionalProperties.status, "revoked");
  assert.deepEqual((await keys.listAPIKeys({ filter: attributes.name })).data, []);
  await refused(keys.deleteAPIKey({ apiKeyId: id }), 404, NOT_FOUND);
  await refused(keys.updateAPIKey(patch(id, { name: unique() })), 404, NOT_FOUND);
});

for (const id of ["invalidId", unknownId()]) {
  test(`unknown or malformed id ${id}`, async () => {
    await refused(keys.getAPIKey({ apiKeyId: id }), 404, NOT_FOUND);
    await refused(keys.updateAPIKey(patch(id, { name: "x" })), 404, NOT_FOUND);
    await refused(keys.deleteAPIKey({ apiKeyId: id }), 404, NOT_FOUND);
  });
}

test("list", async (t) => {
  const { prefix, made: [b, c, a] } = await three(t);
  const listed = understood(await keys.listAPIKeys({ filter: prefix, include: "created_by" }));
  assert.deepEqual(idsOf(listed), [a.id, b.id, c.id]);
  assert.deepEqual([listed.meta.maxAllowed, listed.meta.page.totalFilteredCount], [200, 3]);
  assert.ok(listed.included.length === 1 && listed.included[0] instanceof v2.User);
  for (const { attributes } of listed.data) {
    assert.ok(!("key" in attributes) && !("key" in (attributes.additionalProperties ?? {})));
  }
});

test("list in pages", async (t) => {
  const { prefix, made: [b, c, a] } = await three(t);
  const page = async (pageNumber) => idsOf(await keys.listAPIKeys({ filter: prefix, pageSize: 2, pageNumber }));
  assert.deepEqual([await page(0), await page(1), await page(2)], [[a.id, b.id], [c.id], []]);
});

test("list in every order", async (t) => {
  const { prefix, made: [b, c, a] } = await three(t);
  const byLast4 = (await keys.listAPIKeys({ filter: prefix })).data.map((key) => key.attributes.last4).sort();
  for (const [sort, order] of [["name", [a, b, c]], ["created_at", [b, c, a]], ["modified_at", [c, a, b]]]) {
    const ids = order.map((key) => key.id);
    assert.deepEqual(idsOf(await keys.listAPIKeys({ filter: prefix, sort })), ids);
    assert.deepEqual(idsOf(await keys.listAPIKeys({ filter: prefix, sort: `-${sort}` })), ids.reverse());
  }
  for (const [sort, order] of [["last4", byLast4], ["-last4", [...byLast4].reverse()]]) {
    const listed = await keys.listAPIKeys({ filter: prefix, sort });
    assert.deepEqual(listed.data.map((key) => key.attributes.last4), order);
  }
});

test("list by part of a name, by dates and by attributes", async (t) => {
  const { prefix, made: [b, c, a] } = await three(t);
  const found = async (filters) => new Set(idsOf(await keys.listAPIKeys({ filter: prefix, ...filters })));
  assert.deepEqual(await found({ filter: `${prefix}b` }), new Set([b.id]));
  const [createdAt, modifiedAt] = await Promise.all(
    [[c.id, "created_at"], [a.id, "modified_at"]].map(
      async ([id, name]) => (await send("GET", `${PATH}/${id}`)).json.data.attributes[name],
    ),
  );
  assert.deepEqual(await found({ filterCreatedAtStart: createdAt }), new Set([c.id, a.id]));
  assert.deepEqual(await found({ filterCreatedAtEnd: createdAt }), new Set([b.id, c.id]));
  assert.deepEqual(await found({ filterModifiedAtStart: modifiedAt }), new Set([a.id, b.id]));
  assert.deepEqual(await found({ filterModifiedAtEnd: modifiedAt }), new Set([c.id, a.id]));
  assert.equal((await found({ filterRemoteConfigReadEnabled: true })).size, 3);
  assert.equal((await found({ filterRemoteConfigReadEnabled: false })).size, 0);
  assert.equal((await found({ filterCategory: "default" })).size, 3);
});

test("list with bad parameters", async () => {
  for (const query of [
    { sort: "nonsense" },
    { include: "nonsense" },
    { "page[size]": "101" },
    { "page[number]": "-1" },
    { "filter[created_at][start]": "yesterday" },
    { "filter[modified_at][end]": "tomorrow" },
  ]) {
    hasFailedWith(await send("GET", PATH, { query }), 400);
  }
});
