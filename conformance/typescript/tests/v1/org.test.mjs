// `POST /api/v1/org` by the client: a new org with its first admin and keys, apart from every other org.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  API_KEY_SECRET,
  APPLICATION_KEY_SECRET,
  UUID,
  configuration,
  keysOf,
  makeApiKey,
  orgId,
  refused,
  send,
  understood,
  unknownId,
  v1,
} from "../../support.mjs";

// The vendor's schema has room for 32 letters.
const orgName = () => unknownId().replaceAll("-", "");
const orgs = new v1.OrganizationsApi(configuration());

async function make(t, name = orgName()) {
  const created = understood(await orgs.createChildOrg({ body: { name } }));
  // No vendor's endpoint takes an org away.
  t.after(() => send("PATCH", `/claviger/v1/orgs/${created.org.publicId}`, { body: { disabled: true } }));
  return created;
}

test("create", async (t) => {
  const name = orgName();
  const { org, apiKey, applicationKey, user } = await make(t, name);
  assert.equal(org.name, name);
  assert.match(org.publicId, UUID);
  assert.notEqual(org.publicId, orgId);
  assert.match(apiKey.key, API_KEY_SECRET);
  assert.match(applicationKey.hash, APPLICATION_KEY_SECRET);
  assert.equal(user.email, user.handle);
});

test("its keys open it and nothing else", async (t) => {
  const { apiKey, applicationKey } = await make(t);
  const inside = keysOf({ apiKey: apiKey.key, applicationKey: applicationKey.hash });
  assert.equal((await inside.listAPIKeys()).data.length, 1);
  await refused(inside.getAPIKey({ apiKeyId: (await makeApiKey(t)).id }), 404, "API key not found");
  await refused(keysOf({ applicationKey: applicationKey.hash }).listAPIKeys(), 401, "Unauthorized");
});

test("missing name", async () => {
  const answer = await send("POST", "/api/v1/org", { body: {} });
  assert.deepEqual([answer.status, answer.text], [400, `{"errors": ["Required parameter 'name' is missing"]}`]);
});
