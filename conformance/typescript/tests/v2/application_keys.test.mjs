// `/api/v2/application_keys` by the client: everybody's keys in the org, whose secrets never show here.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NO_PERMISSION,
  email,
  hasFailedWith,
  idsOf,
  inTurn,
  keys,
  keysOf,
  makeApplicationKey,
  refused,
  send,
  understood,
  unique,
  unknownId,
  userId,
  v2,
} from "../../support.mjs";

const PATH = "/api/v2/application_keys";
const NOT_FOUND = "Application key not found";
const patch = (id, attributes) => ({ appKeyId: id, body: { data: { type: "application_keys", id, attributes } } });

async function three(t) {
  const prefix = unique("");
  const made = await inTurn(["b", "C", "a"], (suffix) => makeApplicationKey(t, { name: prefix + suffix }));
  return { prefix, made };
}

test("get", async (t) => {
  const created = await makeApplicationKey(t, { scopes: ["monitors_read", "dashboards_read"] });
  const { data, included } = understood(await keys.getApplicationKey({ appKeyId: created.id, include: "owned_by" }));
  assert.deepEqual([data.id, data.type, data.attributes.key], [created.id, "application_keys", undefined]);
  assert.deepEqual(data.attributes.scopes, ["monitors_read", "dashboards_read"]);
  assert.deepEqual([data.attributes.last4, data.attributes.lastUsedAt], [created.attributes.key.slice(-4), null]);
  assert.equal(data.relationships.ownedBy.data.id, userId);
  assert.ok(included.length === 1 && included[0] instanceof v2.User);
  assert.equal(included[0].attributes.email, email);
});

test("rename keeps scopes and secret", async (t) => {
  const created = await makeApplicationKey(t, { scopes: ["org_app_keys_read"] });
  const name = unique("renamed");
  const { attributes } = understood(await keys.updateApplicationKey(patch(created.id, { name }))).data;
  assert.deepEqual([attributes.name, attributes.scopes, attributes.key], [name, ["org_app_keys_read"], undefined]);
  await keysOf({ applicationKey: created.attributes.key }).listApplicationKeys({ filter: name });
});

test("change scopes, and take them away", async (t) => {
  const { id, attributes } = await makeApplicationKey(t);
  const scopes = ["monitors_read", "dashboards_read"];
  assert.deepEqual((await keys.updateApplicationKey(patch(id, { scopes }))).data.attributes.scopes, scopes);
  await refused(keysOf({ applicationKey: attributes.key }).listApplicationKeys(), 403, ...NO_PERMISSION);
  for (const none of [null, []]) {
    assert.equal((await keys.updateApplicationKey(patch(id, { scopes: none }))).data.attributes.scopes, null);
  }
  await keysOf({ applicationKey: attributes.key }).listApplicationKeys();
});

test("patch with an unknown scope or another id", async (t) => {
  const { id } = await makeApplicationKey(t);
  await assert.rejects(keys.updateApplicationKey(patch(id, { scopes: ["no_such_scope"] })), (error) => {
    assert.equal(error.code, 400);
    assert.match(error.body.errors[0], /Invalid scopes/);
    return true;
  });
  await assert.rejects(keys.updateApplicationKey({ ...patch(unknownId(), {}), appKeyId: id }), { code: 400 });
});

test("delete is the end", async (t) => {
  const { id, attributes } = await makeApplicationKey(t);
  await keys.deleteApplicationKey({ appKeyId: id });
  await refused(keys.getApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  await refused(keys.getCurrentUserApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  await refused(keys.updateApplicationKey(patch(id, { name: unique() })), 404, NOT_FOUND);
  await refused(keys.deleteApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  await refused(keysOf({ applicationKey: attributes.key }).listApplicationKeys(), 401, "Unauthorized");
});

for (const id of ["invalidId", unknownId()]) {
  test(`unknown or malformed id ${id}`, async () => {
    await refused(keys.getApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
    await refused(keys.updateApplicationKey(patch(id, { name: "x" })), 404, NOT_FOUND);
    await refused(keys.deleteApplicationKey({ appKeyId: id }), 404, NOT_FOUND);
  });
}

for (const [operation, path] of [
  ["listApplicationKeys", PATH],
  ["listCurrentUserApplicationKeys", "/api/v2/current_user/application_keys"],
]) {
  const list = (parameters) => keys[operation](parameters);

  test(`${operation}: items and totals`, async (t) => {
    const { prefix, made: [b, c, a] } = await three(t);
    const listed = understood(await list({ filter: prefix, include: "owned_by" }));
    assert.deepEqual(idsOf(listed), [a.id, b.id, c.id]);
    assert.deepEqual([listed.meta.maxAllowedPerUser, listed.meta.page.totalFilteredCount], [1000, 3]);
    assert.ok(listed.included.length === 1 && listed.included[0] instanceof v2.User);
    for (const { attributes } of listed.data) {
      assert.ok(!("key" in attributes) && !("key" in (attributes.additionalProperties ?? {})));
      assert.deepEqual([attributes.scopes, attributes.lastUsedAt], [null, null]);
    }
  });

  test(`${operation}: pages`, async (t) => {
    const { prefix, made: [b, c, a] } = await three(t);
    const page = async (pageNumber) => idsOf(await list({ filter: prefix, pageSize: 2, pageNumber }));
    assert.deepEqual([await page(0), await page(1), await page(2)], [[a.id, b.id], [c.id], []]);
  });

  test(`${operation}: every order`, async (t) => {
    const { prefix, made: [b, c, a] } = await three(t);
    for (const [sort, order] of [["name", [a, b, c]], ["created_at", [b, c, a]]]) {
      const ids = order.map((key) => key.id);
      assert.deepEqual(idsOf(await list({ filter: prefix, sort })), ids);
      assert.deepEqual(idsOf(await list({ filter: prefix, sort: `-${sort}` })), ids.reverse());
    }
    const last4 = async (sort) => (await list({ filter: prefix, sort })).data.map((key) => key.attributes.last4);
    assert.deepEqual(await last4("-last4"), (await last4("last4")).reverse());
  });

  test(`${operation}: part of a name and dates`, async (t) => {
    const { prefix, made: [b, c, a] } = await three(t);
    const found = async (filters) => new Set(idsOf(await list({ filter: prefix, ...filters })));
    assert.deepEqual(await found({ filter: `${prefix}b` }), new Set([b.id]));
    const createdAt = (await send("GET", `${PATH}/${c.id}`)).json.data.attributes.created_at;
    assert.deepEqual(await found({ filterCreatedAtStart: createdAt }), new Set([c.id, a.id]));
    assert.deepEqual(await found({ filterCreatedAtEnd: createdAt }), new Set([b.id, c.id]));
  });

  test(`${operation}: bad parameters`, async () => {
    for (const query of [
      { sort: "modified_at" },
      { include: "nonsense" },
      { "page[size]": "101" },
      { "page[number]": "-1" },
      { "filter[created_at][start]": "yesterday" },
    ]) {
      hasFailedWith(await send("GET", path, { query }), 400);
    }
  });
}

test("list by owner", async (t) => {
  const { prefix } = await three(t);
  assert.equal((await keys.listApplicationKeys({ filter: prefix, filterOwnedBy: userId })).data.length, 3);
  assert.deepEqual((await keys.listApplicationKeys({ filter: prefix, filterOwnedBy: unknownId() })).data, []);
});
