// `GET /api/v2/validate` and `GET /api/v2/validate_keys` by the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  UNKNOWN_API_KEY,
  UNKNOWN_APPLICATION_KEY,
  configuration,
  keys,
  keysOf,
  makeApiKey,
  makeApplicationKey,
  orgId,
  refused,
  understood,
  v2,
} from "../../support.mjs";

function validate(given) {
  const unstable = configuration(given);
  unstable.unstableOperations["v2.validate"] = true;
  return new v2.KeyManagementApi(unstable).validate();
}

for (const [remoteConfigReadEnabled, scopes] of [[true, ["remote_config_read"]], [false, []]]) {
  test(`validate: remote configuration ${remoteConfigReadEnabled}`, async (t) => {
    const created = await makeApiKey(t, { remoteConfigReadEnabled });
    const { data } = understood(await validate({ apiKey: created.attributes.key }));
    assert.deepEqual([data.id, data.type], [orgId, "validate_v2"]);
    assert.deepEqual({ ...data.attributes }, { apiKeyId: created.id, apiKeyScopes: scopes, valid: true });
  });
}

test("validate: application key is ignored", async () => {
  assert.equal((await validate({ applicationKey: UNKNOWN_APPLICATION_KEY })).data.attributes.valid, true);
});

test("validate: unknown API key", () =>
  assert.rejects(validate({ apiKey: UNKNOWN_API_KEY }), (error) => error.code === 403));

test("validate_keys: good keys", async () => assert.equal(understood(await keys.validateAPIKey()).status, "ok"));

test("validate_keys: scopes do not matter", async (t) => {
  const { attributes } = await makeApplicationKey(t, { scopes: ["dashboards_read"] });
  assert.equal((await keysOf({ applicationKey: attributes.key }).validateAPIKey()).status, "ok");
});

test("validate_keys: unknown keys", async () => {
  await refused(keysOf({ applicationKey: UNKNOWN_APPLICATION_KEY }).validateAPIKey(), 401, "Unauthorized");
  await refused(keysOf({ apiKey: UNKNOWN_API_KEY }).validateAPIKey(), 403, "Forbidden");
});
