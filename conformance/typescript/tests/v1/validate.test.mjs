// `GET /api/v1/validate`: an API key alone is judged, whatever application key comes with it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_API_KEY, UNKNOWN_APPLICATION_KEY, configuration, makeApiKey, refused, send, v1 } from "../../support.mjs";

const validate = (given) => new v1.AuthenticationApi(configuration(given)).validate();

test("good API key", async () => assert.equal((await validate()).valid, true));

test("application key is ignored", async () =>
  assert.equal((await validate({ applicationKey: UNKNOWN_APPLICATION_KEY })).valid, true));

test("API key just made, then revoked", async (t) => {
  const { id, attributes } = await makeApiKey(t);
  assert.equal((await validate({ apiKey: attributes.key })).valid, true);
  await send("DELETE", `/api/v2/api_keys/${id}`);
  await refused(validate({ apiKey: attributes.key }), 403, "Forbidden");
});

test("unknown API key", () => refused(validate({ apiKey: UNKNOWN_API_KEY }), 403, "Forbidden"));
