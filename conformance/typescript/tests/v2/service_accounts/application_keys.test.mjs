// `/api/v2/service_accounts/{id}/application_keys` by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  APPLICATION_KEY_SECRET,
  idsOf,
  keysOf,
  makeApplicationKey,
  makeServiceAccount,
  makeUser,
  refused,
  resource,
  serviceAccounts,
  understood,
  unique,
  unknownId,
  users,
} from "../../../support.mjs";

const KIND = "application_keys";
const NOT_FOUND = "Application key not found";

async function make(serviceAccountId, attributes = {}) {
  const body = resource(KIND, { name: unique(), ...attributes });
  return understood(await serviceAccounts.createServiceAccountApplicationKey({ serviceAccountId, body })).data;
}

test("create", async (t) => {
  const { id } = await makeServiceAccount(t);
  const scopes = ["dashboards_read", "dashboards_write", "dashboards_public_share"];
  for (const given of [undefined, scopes]) {
    const { attributes, relationships } = await make(id, given ? { scopes: given } : {});
    assert.match(attributes.key, APPLICATION_KEY_SECRET);
    assert.deepEqual(attributes.scopes, given ?? null);
    assert.equal(relationships.ownedBy.data.id, id);
  }
  const unknown = resource(KIND, { name: "x", scopes: ["no_such_scope"] });
  const create = serviceAccounts.createServiceAccountApplicationKey({ serviceAccountId: id, body: unknown });
  await refused(create, 400, "Invalid scopes: no_such_scope");
});

test("get, list and update show no secret", async (t) => {
  const { id: serviceAccountId } = await makeServiceAccount(t);
  const empty = understood(await serviceAccounts.listServiceAccountApplicationKeys({ serviceAccountId }));
  assert.deepEqual([empty.data, empty.meta.maxAllowedPerUser, empty.meta.page.totalFilteredCount], [[], 1000, 0]);
  const { id, attributes } = await make(serviceAccountId);
  const one = { serviceAccountId, appKeyId: id };
  const found = understood(await serviceAccounts.getServiceAccountApplicationKey(one)).data;
  assert.deepEqual([found.id, found.type, found.attributes.name], [id, KIND, attributes.name]);
  const listed = understood(await serviceAccounts.listServiceAccountApplicationKeys({ serviceAccountId }));
  assert.deepEqual(idsOf(listed), [id]);
  const name = `${attributes.name}-updated`;
  const body = resource(KIND, { name }, { id });
  const updated = understood(await serviceAccounts.updateServiceAccountApplicationKey({ ...one, body })).data;
  assert.deepEqual([updated.id, updated.type, updated.attributes.name], [id, KIND, name]);
  for (const seen of [found, listed.data[0], updated]) {
    assert.ok(!("key" in seen.attributes) && !("key" in (seen.attributes.additionalProperties ?? {})));
  }
});

test("delete is the end", async (t) => {
  const { id: serviceAccountId } = await makeServiceAccount(t);
  const { id, attributes } = await make(serviceAccountId);
  const caller = keysOf({ applicationKey: attributes.key });
  await caller.validateAPIKey();
  const one = { serviceAccountId, appKeyId: id };
  await serviceAccounts.deleteServiceAccountApplicationKey(one);
  await refused(serviceAccounts.deleteServiceAccountApplicationKey(one), 404, NOT_FOUND);
  await refused(serviceAccounts.getServiceAccountApplicationKey(one), 404, NOT_FOUND);
  await refused(caller.validateAPIKey(), 401, "Unauthorized");
});

test("disabling the service account ends its keys for good", async (t) => {
  const { id } = await makeServiceAccount(t);
  const caller = keysOf({ applicationKey: (await make(id)).attributes.key });
  await caller.validateAPIKey();
  await users.disableUser({ userId: id });
  await refused(caller.validateAPIKey(), 401, "Unauthorized");
  await users.updateUser({ userId: id, body: resource("users", { disabled: false }, { id }) });
  await refused(caller.validateAPIKey(), 401, "Unauthorized");
});

test("somebody else's keys are not there", async (t) => {
  const { id: serviceAccountId } = await makeServiceAccount(t);
  for (const appKeyId of ["invalidId", unknownId(), (await makeApplicationKey(t)).id]) {
    const one = { serviceAccountId, appKeyId };
    await refused(serviceAccounts.getServiceAccountApplicationKey(one), 404, NOT_FOUND);
    await refused(serviceAccounts.deleteServiceAccountApplicationKey(one), 404, NOT_FOUND);
  }
  for (const nobody of [unknownId(), (await makeUser(t)).id]) {
    const list = serviceAccounts.listServiceAccountApplicationKeys({ serviceAccountId: nobody });
    await assert.rejects(list, { code: 404 });
  }
});
