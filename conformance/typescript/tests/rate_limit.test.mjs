// A key's limit of requests: what the client is told, and that it waits and asks again when it is let.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanUp, keysOf, refused, send, unique } from "../support.mjs";

// The secret of an application key that may be used once in so many seconds.
async function limited(t, periodSeconds) {
  const body = { name: unique(), scopes: null, request_limit: { requests: 1, period_seconds: periodSeconds } };
  const { id, secret } = (await send("POST", "/claviger/v1/application_keys", { body })).json;
  cleanUp(t, `/api/v2/application_keys/${id}`);
  return secret;
}

test("too often", async (t) => {
  const keys = keysOf({ applicationKey: await limited(t, 60) });
  // A minute may end in between, once.
  const calls = async () => {
    for (let i = 0; i < 3; i++) await keys.validateAPIKey();
  };
  await refused(calls(), 429, "Rate limit exceeded");
});

test("the client waits and asks again", async (t) => {
  const keys = keysOf({ applicationKey: await limited(t, 1), enableRetry: true });
  const start = performance.now();
  for (let i = 0; i < 3; i++) assert.equal((await keys.validateAPIKey()).status, "ok");
  // Three in three different seconds.
  assert.ok(performance.now() - start >= 1000);
});
