// `/api/v1/api_key` by the client: flat bodies, the secret as the path, 200 for every success, v1's own error texts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  API_KEY_SECRET,
  TIME_V1,
  UNKNOWN_API_KEY,
  cleanUp,
  email,
  inTurn,
  keysV1,
  makeApiKey,
  refused,
  send,
  understood,
  unique,
} from "../../support.mjs";

async function make(t, name = unique()) {
  const { apiKey } = understood(await keysV1.createAPIKey({ body: { name } }));
  cleanUp(t, `/api/v1/api_key/${apiKey.key}`);
  return apiKey;
}

test("create", async (t) => {
  const name = unique();
  const created = await make(t, name);
  assert.deepEqual([created.name, created.createdBy], [name, email]);
  assert.match(created.key, API_KEY_SECRET);
  assert.match(created.created, TIME_V1);
});

test("missing name", async (t) => {
  const { key } = await make(t);
  await refused(keysV1.createAPIKey({ body: {} }), 400, "Required parameter 'name' is missing");
  for (const path of ["", `/${key}`, `/${UNKNOWN_API_KEY}`]) {
    const answer = await send(path ? "PUT" : "POST", `/api/v1/api_key${path}`, { body: {} });
    assert.deepEqual([answer.status, answer.text], [400, `{"errors": ["Required parameter 'name' is missing"]}`]);
  }
});

test("get what v1 and v2 made", async (t) => {
  const created = await make(t);
  assert.deepEqual((await keysV1.getAPIKey({ key: created.key })).apiKey, created);
  const { attributes } = await makeApiKey(t);
  assert.equal((await keysV1.getAPIKey({ key: attributes.key })).apiKey.name, attributes.name);
});

test("list shows secrets by name", async (t) => {
  const prefix = unique("");
  const [b, c, a] = await inTurn(["b", "C", "a"], (suffix) => make(t, prefix + suffix));
  const { apiKeys } = understood(await keysV1.listAPIKeys());
  assert.deepEqual(apiKeys.filter((key) => key.name.startsWith(prefix)), [a, b, c]);
});

test("update changes the name alone", async (t) => {
  const created = await make(t);
  const name = unique("renamed");
  const { apiKey } = understood(await keysV1.updateAPIKey({ key: created.key, body: { name } }));
  assert.deepEqual({ ...apiKey }, { ...created, name });
  assert.deepEqual((await keysV1.getAPIKey({ key: created.key })).apiKey, apiKey);
});

test("delete answers what it deleted, once", async (t) => {
  const created = await make(t);
  const { key } = created;
  assert.deepEqual(understood(await keysV1.deleteAPIKey({ key })).apiKey, created);
  await refused(keysV1.getAPIKey({ key }), 404, "API key not found");
  await refused(keysV1.updateAPIKey({ key, body: { name: unique() } }), 404, "API key not found");
  await refused(keysV1.deleteAPIKey({ key }), 404, "API key not found");
  assert.ok(!(await keysV1.listAPIKeys()).apiKeys.some((listed) => listed.key === key));
});

for (const key of [UNKNOWN_API_KEY, "invalidId"]) {
  test(`unknown or malformed key ${key}`, async () => {
    await refused(keysV1.getAPIKey({ key }), 404, "API key not found");
    await refused(keysV1.updateAPIKey({ key, body: { name: "x" } }), 404, "API key not found");
    await refused(keysV1.deleteAPIKey({ key }), 404, "API key not found");
  });
}
