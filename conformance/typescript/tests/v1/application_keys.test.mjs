// `/api/v1/application_key` by the client: the secret is `hash`, names are taken once per owner.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  APPLICATION_KEY_SECRET,
  UNKNOWN_APPLICATION_KEY,
  cleanUp,
  email,
  inTurn,
  keys,
  keysV1,
  makeApplicationKey,
  refused,
  send,
  understood,
  unique,
} from "../../support.mjs";

const NOT_FOUND = "Application key not found";
const taken = (name) => `An application key with the name ${name} already exists`;

async function make(t, name = unique()) {
  const { applicationKey } = understood(await keysV1.createApplicationKey({ body: { name } }));
  cleanUp(t, `/api/v1/application_key/${applicationKey.hash}`);
  return applicationKey;
}

test("create makes a key without scopes", async (t) => {
  const name = unique();
  const created = await make(t, name);
  assert.deepEqual([created.name, created.owner], [name, email]);
  assert.match(created.hash, APPLICATION_KEY_SECRET);
  const [listed] = (await keys.listCurrentUserApplicationKeys({ filter: name })).data;
  assert.deepEqual([listed.attributes.scopes, listed.attributes.last4], [null, created.hash.slice(-4)]);
});

test("missing name", async () => {
  await refused(keysV1.createApplicationKey({ body: {} }), 400, "Required parameter 'name' is missing");
  const answer = await send("POST", "/api/v1/application_key", { body: {} });
  assert.deepEqual([answer.status, answer.text], [400, `{"errors": ["Required parameter 'name' is missing"]}`]);
});

test("a name taken, on create and on rename", async (t) => {
  const [one, other] = [await make(t), await make(t)];
  await refused(keysV1.createApplicationKey({ body: { name: one.name } }), 409, taken(one.name));
  await refused(keysV1.updateApplicationKey({ key: other.hash, body: { name: one.name } }), 409, taken(one.name));
  const answer = await send("POST", "/api/v1/application_key", { body: { name: one.name } });
  assert.deepEqual([answer.status, answer.text], [409, `{"errors": ["${taken(one.name)}"]}`]);
});

test("get what v1 and v2 made", async (t) => {
  const created = await make(t);
  assert.deepEqual((await keysV1.getApplicationKey({ key: created.hash })).applicationKey, created);
  const { attributes } = await makeApplicationKey(t);
  assert.equal((await keysV1.getApplicationKey({ key: attributes.key })).applicationKey.name, attributes.name);
});

test("list shows secrets by name", async (t) => {
  const prefix = unique("");
  const [b, c, a] = await inTurn(["b", "C", "a"], (suffix) => make(t, prefix + suffix));
  const { applicationKeys } = understood(await keysV1.listApplicationKeys());
  assert.deepEqual(applicationKeys.filter((key) => key.name.startsWith(prefix)), [a, b, c]);
});

test("update changes the name alone", async (t) => {
  const created = await make(t);
  const name = unique("renamed");
  const answer = understood(await keysV1.updateApplicationKey({ key: created.hash, body: { name } }));
  assert.deepEqual({ ...answer.applicationKey }, { ...created, name });
});

test("delete answers the key as revoked, once", async (t) => {
  const { hash: key } = await make(t);
  const { applicationKey } = understood(await keysV1.deleteApplicationKey({ key }));
  assert.equal(applicationKey.hash, key);
  assert.equal(applicationKey.additionalProperties.revoked, true);
  await refused(keysV1.getApplicationKey({ key }), 404, NOT_FOUND);
  await refused(keysV1.updateApplicationKey({ key, body: { name: unique() } }), 404, NOT_FOUND);
  await refused(keysV1.deleteApplicationKey({ key }), 404, NOT_FOUND);
});

for (const key of [UNKNOWN_APPLICATION_KEY, "invalidId"]) {
  test(`unknown or malformed key ${key}`, async () => {
    await refused(keysV1.getApplicationKey({ key }), 404, NOT_FOUND);
    await refused(keysV1.updateApplicationKey({ key, body: { name: "x" } }), 404, NOT_FOUND);
    await refused(keysV1.deleteApplicationKey({ key }), 404, NOT_FOUND);
  });
}
