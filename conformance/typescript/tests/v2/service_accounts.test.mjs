// `POST /api/v2/service_accounts` by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hasFailedWith,
  makeRole,
  makeServiceAccount,
  resource,
  send,
  understood,
  uniqueEmail,
  users,
} from "../../support.mjs";

test("create", async (t) => {
  const role = await makeRole(t);
  const email = uniqueEmail();
  const { id, attributes, relationships } = await makeServiceAccount(t, { email, name: "Robot" }, [role.id]);
  assert.deepEqual([attributes.email, attributes.name, attributes.handle], [email.toLowerCase(), "Robot", id]);
  assert.deepEqual([attributes.serviceAccount, attributes.verified, attributes.disabled], [true, true, false]);
  assert.equal(attributes.status, "Active");
  assert.deepEqual(relationships.roles.data.map((one) => one.id), [role.id]);
  assert.notEqual((await makeServiceAccount(t, { email })).id, id);
});

test("create with wrong bodies", async () => {
  for (const attributes of [
    { email: "robot@example.com" },
    { service_account: true },
    { email: "robot@example.com", service_account: false },
  ]) {
    hasFailedWith(await send("POST", "/api/v2/service_accounts", { body: resource("users", attributes) }), 400);
  }
});

test("is read and disabled as a user", async (t) => {
  const { id } = await makeServiceAccount(t);
  assert.equal(understood(await users.getUser({ userId: id })).data.attributes.serviceAccount, true);
  await users.disableUser({ userId: id });
  assert.equal((await users.getUser({ userId: id })).data.attributes.status, "Disabled");
});
